"""Commands on the pages exist, with their options, and so do the targets of make."""

import re

import click
import pytest

from docs.test_names_on_pages import DOCS, PAGES, ROOT, code_of, name_of_page
from lowtide.cli.main import lowtide

ALL_PAGES = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
OF_OTHERS = {"--hx8k", "--placer-heap-timingweight", "--tmg-ripup"}
"""Options of other programs that a page names alone."""


def lines_of_code(page):
    """What is in backticks, and the lines of the blocks of code; a backslash at the end joins a line with the next."""
    blocks = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return code_of(page) + [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def command_of(words):
    """The command of a line, and the word that names no command."""
    command, context = lowtide, click.Context(lowtide)
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, word)
        if found is None:
            return command, word
        command, context = found, click.Context(found, parent=context)
    return command, None


def options_of(command):
    return {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts} | {"--help"}


def faults(line):
    """What a line with a command of lowtide names that does not exist."""
    match = re.match(r"(?:\$ )?(?:[\w./]*/)?lowtide (.+)", line.strip())
    words = re.split(r" (?:[#|>]|&&) ?", match[1])[0].split() if match else []
    if not words or not re.fullmatch(r"-?[a-z][\w-]*", words[0].lstrip("-")):
        return []
    command, unknown = command_of([word for word in words if not word.startswith("-")])
    options = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return [unknown] * (unknown is not None) + [name for name in options if name not in options_of(command)]


def all_options(command, context=None):
    """The options of a command and of all commands in it."""
    names, context = options_of(command), context or click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            names |= all_options(inner, click.Context(inner, parent=context))
    return names


def options_of_study(page):
    """The options of the study that a page is about, and of the commands on it."""
    lines = [
        f"study {page.stem.replace('_', '-')}",
        *re.findall(r"lowtide ([a-z][a-z -]+)", "\n".join(lines_of_code(page))),
    ]
    return set().union(*(options_of(command_of(line.split())[0]) for line in lines))


@pytest.fixture(scope="module")
def known_options():
    return all_options(lowtide)


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of_page)
def test_commands_exist(page):
    assert {line: found for line in lines_of_code(page) if (found := faults(line))} == {}


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of_page)
def test_options_that_are_named_alone_exist(page, known_options):
    names = {match[0] for code in code_of(page) if (match := re.match(r"--[a-z][\w-]*", code))}
    known = options_of_study(page) if page.parent.name == "studies" else known_options
    assert sorted(names - known - OF_OTHERS) == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of_page)
def test_targets_of_make_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {match[1] for line in lines_of_code(page) if (match := re.match(r"(?:\$ )?make ([a-z-]+)", line.strip()))}
    assert sorted(named - targets) == []


def test_what_does_not_exist_is_found():
    assert faults("$ .venv/bin/lowtide study rounders --accuracy 5") == ["--accuracy"]
    assert faults("lowtide board bild -o build") == ["bild", "-o"]
    assert faults("lowtide emit tiny -o build/tiny  # as Verilog") == []


def test_pages_have_commands():
    found = [line for page in DOCS.rglob("*.md") for line in lines_of_code(page) if re.match(r"(\$ )?lowtide ", line)]
    assert len(found) > 100
