"""The example and the errors on the page about configuration are what the code does."""

import doctest
import re
from pathlib import Path

import pytest

from lowtide.config import Config, ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
FILES = {
    "no TOML": b"[array",
    "more than 16 KiB": b"#" * (2**14 + 1),
    "text that is not UTF-8": "# ü".encode("latin-1"),
    "a byte-order mark": b"\xef\xbb\xbf[array]",
    "an integer of thousands of digits": b"a = " + b"1" * 5000,
    "brackets of thousands of levels": b"a = " + b"[" * 3000,
}
TEXT = PAGE.read_text(encoding="utf-8")


def table_after(heading):
    """Cells of the first table below a heading, a list a row."""
    lines = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]


def test_example_on_the_page():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("row", table_after("Errors"), ids=lambda row: row[0])
def test_messages(row, tmp_path, monkeypatch):
    """Each wrong line, in the section that it belongs to, is refused with the page's message."""
    monkeypatch.chdir(tmp_path)
    wrong, message = row[0].strip("`"), re.escape(row[1].strip("`")).replace("…", ".*")
    if wrong == "a folder, a named pipe or a device":
        Path("my.toml").mkdir()
        source, message = "my.toml", re.escape("cannot read my.toml: Is a directory")
    elif "`" in wrong or wrong == "a missing file":
        source = "nowhere.toml" if wrong == "a missing file" else wrong.split("`")[-1]
    elif wrong in FILES:
        source = "my.toml"
        Path(source).write_bytes(FILES[wrong])
    else:
        section = {"array": "", "[bpf]": ""}.get(wrong.split(" =")[0])
        if section is None:
            section = "[array]\n" if wrong.startswith(("rows", "colums")) else "[bfp]\n"
        source = "wrong.toml"
        Path(source).write_text(section + wrong, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        Config.load(source)
