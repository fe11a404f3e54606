"""Groups of commands: help without imports, summaries, and earlier names."""

import subprocess
import sys

import click
import pytest

from lowtide.cli.main import lowtide as cli
from lowtide.cli.summaries import GROUPS, RENAMED, SUMMARIES

HELP = """\
import resource, sys
from lowtide.cli import main
try:
    main({arguments})
except SystemExit:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
loaded = sorted({{name.partition(".")[0] for name in sys.modules}} & {heavy})
print(used.ru_utime + used.ru_stime, loaded)
"""
HEAVY = {"amaranth", "attr", "numpy", "rich", "serial", "cocotb", "matplotlib", "lowtide_sim", "lowtide_studies"}


def command_of(full: str) -> click.Command:
    """The command of a full name."""
    found: click.Command = cli
    for name in full.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name) or pytest.fail(f"no command {full}")
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_help_imports_no_command(group):
    arguments = [*group.split(), "--help"]
    done = subprocess.run(
        [sys.executable, "-c", HELP.format(arguments=arguments, heavy=HEAVY)], capture_output=True, text=True
    )
    *lines, last = done.stdout.splitlines()
    seconds, _, loaded = last.partition(" ")
    assert (loaded, done.stderr) == ("[]", "")
    assert float(seconds) < 0.6
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80
    printed = {tuple(line.split(maxsplit=1)) for line in lines}
    for full, summary in SUMMARIES.items():
        path, _, name = full.rpartition(" ")
        assert ((name, summary) in printed) == (path == group)


@pytest.mark.parametrize("full", SUMMARIES)
def test_summary_is_the_first_line_of_the_help(full):
    assert (command_of(full).help or "").partition("\n")[0] == SUMMARIES[full]
    assert len(SUMMARIES[full]) < 50


@pytest.mark.parametrize("full", SUMMARIES)
def test_help_has_an_example(full):
    assert f"  lowtide {full}" in (command_of(full).epilog or "")


def test_every_command_has_a_summary():
    known = set()
    for path in GROUPS:
        group = command_of(path)
        assert isinstance(group, click.Group)
        known |= {f"{path} {name}".strip() for name in group.list_commands(click.Context(group))}
    assert known == set(SUMMARIES)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_earlier_name_is_refused_with_the_present_name(lowtide, old, new):
    assert new in SUMMARIES
    ended = lowtide(old, "--board", "ulx3s")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"lowtide: {old} is now `lowtide {new}` (see lowtide --help)\n"


def test_study_with_options_is_refused_with_the_present_name(lowtide):
    ended = lowtide("study", "--quick")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("lowtide: study with options is now `lowtide study gradient-rounding`")


def test_nearest_name_in_a_group(lowtide):
    ended = lowtide("board", "biuld")
    assert ended.code == 2
    assert ended.err == (
        "lowtide: no command 'biuld', did you mean build?; commands: list, build, check, flash"
        " (see lowtide board --help)\n"
    )


@pytest.mark.parametrize("full", SUMMARIES)
def test_options_have_the_same_meaning_everywhere(full):
    """-o is an output; --target is an FPGA family; --json, --quiet and --set take part under one name."""
    uniform = {"--json": "as_json", "--quiet": "quiet", "--set": "changes", "--output": "output"}
    for option in command_of(full).params:
        if isinstance(option, click.Option):
            assert ("-o" in option.opts) == ("--output" in option.opts)
            assert not (option.help or "").startswith("Of ")
            for name in uniform.keys() & set(option.opts):
                assert option.name == uniform[name]
