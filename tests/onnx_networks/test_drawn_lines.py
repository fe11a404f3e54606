"""Drawn lines of text, and their labels."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("PIL")
from onnx import helper, load
from onnx import save as save_model
from onnx_models import graph_of, node, save

from lowtide.errors import CommandError
from lowtide_studies.layer_precision import lines
from lowtide_studies.layer_precision.lines import HEIGHT, WIDTH, write_lines
from lowtide_studies.network_training.glyphs import FOLDER
from lowtide_studies.network_training.king_james import king_james

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
TEXT = "in the beginning was the Word and the word was with God " * 3


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model that reads small letters, and a text."""
    if not FOLDER.exists():
        pytest.skip(f"needs fonts in {FOLDER}")
    monkeypatch.setattr(lines, "king_james", lambda _instead: TEXT)
    file = tmp_path / "network.onnx"
    save(tmp_path, graph_of([node("Relu", ["x"], ["y"])], {"x": ["batch", 3, HEIGHT, WIDTH]}, ["y"], {}))
    read = load(file)
    helper.set_model_props(read, {"character": "\n".join(ALPHABET)})
    save_model(read, file)
    return file


def drawn(model, folder, count, tuning=0):
    try:
        files = write_lines(str(model), folder, count, tuning)
    except CommandError as error:
        if "too few typefaces" in str(error):
            pytest.skip(str(error))
        raise
    with np.load(files[0]) as images:
        return images["x"], np.load(files[1])


def test_lines_have_the_text_of_their_labels(model, tmp_path):
    images, labels = drawn(model, tmp_path / "one", 12)
    assert images.shape == (12, 3, HEIGHT, WIDTH)
    assert images.dtype == np.float32
    assert images.max() == 1
    assert images.min() >= -1
    assert (images[:, :1] == images).all()  # gray
    # All lines are dark somewhere, and white at the borders.
    assert (images.min((1, 2, 3)) < 0).all()
    assert (images[:, :, 0] == 1).all()
    assert (images[..., -1] == 1).all()
    words = [word for word in TEXT.split() if word.islower()]
    for row in labels:
        length = np.count_nonzero(row)
        assert not row[length:].any()
        text = "".join(f" {ALPHABET} "[c] for c in row[:length])
        assert text in " ".join(words * 2)
        assert length > 1


def test_lines_are_equal_in_each_call(model, tmp_path):
    images, labels = drawn(model, tmp_path / "one", 6)
    again, same = drawn(model, tmp_path / "two", 6)
    assert np.array_equal(images, again)
    assert np.array_equal(labels, same)
    assert len({image.tobytes() for image in images}) == 6


def test_lines_that_tune_precede_the_others(model, tmp_path):
    images, labels = drawn(model, tmp_path / "one", 6)
    more, its = drawn(model, tmp_path / "two", 6, 5)
    assert more.shape == (11, 3, HEIGHT, WIDTH)
    assert np.array_equal(more[5:], images)
    for one, other in zip(its[5:], labels, strict=True):
        assert np.array_equal(one[one > 0], other[other > 0])
    assert len({image.tobytes() for image in more}) == 11
    assert its[:5].any(1).all()


def test_a_missing_text_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "king_james", king_james)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(CommandError, match=r"apt-get install bible-kjv, or give --inputs FILE"):
        write_lines(str(model), tmp_path, 2)


def test_lines_need_one_input(model, tmp_path):
    save(tmp_path, graph_of([node("Add", ["x", "z"], ["y"])], {"x": [1, 3], "z": [1, 3]}, ["y"], {}))
    read = load(model)
    helper.set_model_props(read, {"character": "a\nb"})
    save_model(read, model)
    with pytest.raises(CommandError, match=r"network.onnx must have one input for drawn lines, not 2; give --inputs"):
        write_lines(str(model), tmp_path, 2)
