"""Finds phrases of ``phrases.toml`` in pages, docstrings, comments and messages; prints one line for each.

Run by ``make lint``. Code between backticks and in fenced blocks does not count.
"""

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md")
CODE = ("hdl/**/*.py", "sim/**/*.py", "boards/**/*.py", "configs/**/*.toml", "Makefile")
TESTS = ("tests/**/*.py",)
PHRASES = {
    re.compile(rf"\b(?:{phrase})", re.IGNORECASE): advice
    for phrase, advice in tomllib.loads(Path(__file__).with_name("phrases.toml").read_text())["phrases"].items()
}


def blank(match: re.Match[str]) -> str:
    """Spaces in place of code, so that columns and lines stay."""
    return re.sub(r"[^\n]", " ", match.group())


def prose_of_page(text: str) -> str:
    """A page without its code."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1", blank, text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)[^`]+\1|\]\([^)]*\)|^    .*$", blank, text, flags=re.MULTILINE)


def prose_of_code(text: str) -> str:
    """The strings and comments of a Python file, at their places."""
    lines = [[" "] * len(line) for line in text.splitlines()]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            (row, column), parts = token.start, token.string.splitlines()
            for n, part in enumerate(parts):
                first = column if n == 0 else 0
                lines[row - 1 + n][first : first + len(part)] = part
    return re.sub(r"(`+)[^`\n]+\1", blank, "\n".join("".join(line) for line in lines))


def found(path: Path) -> Iterator[str]:
    """Lines that name a phrase in a file."""
    text = path.read_text(encoding="utf-8")
    prose = prose_of_page(text) if path.suffix == ".md" else prose_of_code(text) if path.suffix == ".py" else text
    for number, line in enumerate(prose.splitlines(), 1):
        for phrase, advice in PHRASES.items():
            for match in phrase.finditer(line):
                yield f"{path.relative_to(ROOT)}:{number}: {match.group()!r}: {advice}"


def main() -> int:
    """Print what is found; exit code 1 if anything is."""
    patterns = (*PAGES, *CODE, *TESTS)
    lines = [line for pattern in patterns for path in sorted(ROOT.glob(pattern)) for line in found(path)]
    print("\n".join(lines) or "no phrase of docs/style/phrases.toml")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
