"""Headings of the troubleshooting page are messages that the code prints."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "project" / "troubleshooting.md"
HEADINGS = re.findall(r"^### (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
OTHERS = {
    "bad interpreter, or no such file or directory: .venv/bin/lowtide",  # the shell's
    "misaligned is high",
    "Results are zero",
    "Results are too small, and a_saturated is not zero",
    "Products of rounded operands are several per cent high",
}
"""Headings that are no message of this project."""

VALUE = "\0"
"""Stands for a value in a message: an expression of an f-string."""


def strings(tree: ast.AST) -> Iterator[str]:
    """Texts in a module, without those inside others."""
    if isinstance(tree, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in tree.values)
        tree = ast.Tuple([part for part in tree.values if not isinstance(part, ast.Constant)], ast.Load())
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    for child in ast.iter_child_nodes(tree):
        yield from strings(child)


def messages() -> list[str]:
    """Texts with a space in the packages' code, values replaced, and lines of the Makefile."""
    code = [path for folder in ("hdl", "sim", "boards") for path in (ROOT / folder).rglob("*.py")]
    texts = [text for path in code for text in strings(ast.parse(path.read_text(encoding="utf-8")))]
    texts += (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return [text for text in texts if " " in text]


MESSAGES = messages()


def in_a_message(text: str) -> bool:
    """Whether a message contains a text, in which X, Y, Z and N stand for values, and … for anything."""
    pattern = re.sub(r"\b[XYZN]\b", ".+", re.escape(text)).replace("…", ".*")
    return any(re.search(pattern, message) for message in MESSAGES)


def printed(heading: str) -> bool:
    """Whether a heading is in a message; the legal values, or the reason behind a colon, may be a text of their own."""
    legal = re.fullmatch(r"[\w.]+ must be (.+)", heading)
    failed, _, reason = heading.rpartition(": ")
    return (
        in_a_message(heading)
        or (legal is not None and in_a_message(legal[1]))
        or (bool(failed) and in_a_message(f"{failed}: X") and in_a_message(reason))
    )


@pytest.mark.parametrize("heading", [heading for heading in HEADINGS if heading not in OTHERS])
def test_a_heading_is_a_message(heading):
    assert printed(heading)


def test_other_headings_are_on_the_page():
    assert set(HEADINGS) >= OTHERS


@pytest.mark.parametrize(
    "heading", ["clock of X MHz is not met", "no answer after X seconds", "X needs Y: apt-get remove Z"]
)
def test_a_text_that_is_no_message_is_found(heading):
    assert not printed(heading)
