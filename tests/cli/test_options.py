"""Legal values of options, and refusals in one line."""

import pytest

from lowtide.cli.options import Name, Names, Number, OutputLink, Picture, Whole, Wholes, integer, number, settings
from lowtide.formats import IllegalValue
from lowtide.paths import PathError

NO_INTEGERS = [
    "",
    " 4",
    "4 ",
    "\t4",
    "4\n",
    "+4",
    "--4",
    "1_0",
    "04",
    "-04",
    "٤",
    "\uff14",
    "²",
    "4.0",
    "4e0",
    "0x4",
    "one",
]
NO_NUMBERS = [
    "",
    " 0.5",
    "0.5 ",
    "+0.5",
    "1_0.5",
    ".5",
    "5.",
    "00.5",
    "٠.٥",
    "nan",
    "inf",
    "-inf",
    "1e",
    "1e1_0",
    "0x1p3",
]


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-0", 0), ("4", 4), ("-12", -12), ("9" * 100, int("9" * 100))])
def test_integers(text, value):
    assert integer(text) == value
    assert settings(None, None, (f"a.b={text}",)) == {"a.b": value}  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("text", [*NO_INTEGERS, "9" * 5000])
def test_other_text_is_no_integer(text):
    assert integer(text) is None
    assert settings(None, None, (f"a.b={text}",)) == {"a.b": text}  # pyright: ignore[reportArgumentType]


def test_booleans_are_written_as_in_toml():
    given = ("a=true", "b=false", "c=True", "d==")
    assert settings(None, None, given) == {"a": True, "b": False, "c": "True", "d": "="}  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("-0.5", -0.5), ("12.25", 12.25), ("1e-3", 0.001), ("5E+2", 500)]
)
def test_numbers(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_other_text_is_no_number(text):
    assert number(text) is None


@pytest.mark.parametrize("text", [*NO_INTEGERS, "0", "10", "-1", "9" * 5000])
def test_an_integer_outside_its_limits(text):
    assert Whole("seeds", range(1, 10)).convert("9", None, None) == 9
    for kind in (Whole("seeds", range(1, 10)), Wholes("seeds", range(1, 10))):
        with pytest.raises(IllegalValue, match="seeds must be from 1 to 9, not ") as error:
            kind.convert(text, None, None)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 200


@pytest.mark.parametrize("text", ["", ",", "1,", ",1", "1,,2", "1, 2", "1;2"])
def test_a_list_of_integers_has_no_gaps(text):
    assert Wholes("bits", range(1, 10)).convert("1,2,1", None, None) == (1, 2)
    with pytest.raises(IllegalValue, match="bits must be from 1 to 9"):
        Wholes("bits", range(1, 10)).convert(text, None, None)


@pytest.mark.parametrize("text", ["", ",", "a,", "a,,b", "c", "A"])
def test_names(text):
    assert Names("kind", ("a", "b")).convert("b, a,b", None, None) == ("b", "a")
    for kind in (Names("kind", ("a", "b")), Name("kind", ("a", "b"))):
        with pytest.raises(IllegalValue, match="kind must be one of a, b, not "):
            kind.convert(text, None, None)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "0", "-1", "100.1", "1e999"])
def test_a_number_outside_its_limits(text):
    assert Number("target", 0, 100, closed=True).convert("100", None, None) == 100
    for closed, legal in ((False, "above 0 and below 100"), (True, "above 0 and at most 100")):
        with pytest.raises(IllegalValue, match=f"target must be {legal}, not "):
            Number("target", 0, 100, closed=closed).convert(text, None, None)
    with pytest.raises(IllegalValue):
        Number("target", 0, 100).convert("100", None, None)


@pytest.mark.parametrize("name", ["a", "a.", "a.pn", "a.png.", "a.txt", ".png", "a.pgf", ""])
def test_endings_of_pictures(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for known in ("new/a.png", "a.SVG", "a.b.pdf"):
        assert str(Picture("plot").convert(known, None, None)) == known
    with pytest.raises(IllegalValue, match=r"plot must be (a file whose name ends in .*|the name of a file), not"):
        Picture("plot").convert(name, None, None)
    assert not any(tmp_path.iterdir())


def test_a_link_replaces_a_link_alone(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    link = OutputLink("link")
    for name in ("link", "new/link"):
        assert link.convert(str(tmp_path / name), None, None) == tmp_path / name
    for name in ("file", "folder", "file/link", "new/"):
        with pytest.raises((IllegalValue, PathError)):
            link.convert(f"{tmp_path}/{name}", None, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]
