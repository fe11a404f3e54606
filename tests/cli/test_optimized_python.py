"""Commands under PYTHONOPTIMIZE=2, where Python drops docstrings and assertions."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """Run the command line in another process, optimized or not: exit code, standard output, standard error."""

    def call(*arguments, level="2", script="main()"):
        done = subprocess.run(
            [sys.executable, "-c", f"from lowtide.cli import main\n{script}", *arguments],
            env=os.environ | {"PYTHONOPTIMIZE": level},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def test_the_list_has_empty_meanings(run):
    code, out, err = run("list", "--json")
    optimized, whole = json.loads(out), json.loads(run("list", "--json", level="")[1])
    assert (code, err) == (0, "")
    assert {unit["meaning"] for unit in optimized["units"].values()} == {""}
    assert all(unit["meaning"] for unit in whole["units"].values())
    for found in (optimized, whole):
        for unit in found["units"].values():
            del unit["meaning"]
    assert optimized == whole
    assert run("list")[0] == 0


def test_verilog_is_the_same(run, tmp_path):
    for folder, level in (("optimized", "2"), ("whole", "")):
        assert run("emit", "tiny", "-o", folder, level=level)[0] == 0
    names = ("lowtide_array.v", "lowtide_array.json")
    assert [(tmp_path / "optimized" / n).read_bytes() for n in names] == [
        (tmp_path / "whole" / n).read_bytes() for n in names
    ]


def test_illegal_values_are_refused(run, tmp_path):
    """All in one process, for the sake of time."""
    lines = [
        ["emit", "--set", "array.rows=0"],
        ["emit", "--unit", "random_source", "--set", "taps=3,3"],
        ["report", "--target", ""],
        ["schedules", "--accuracy", "101"],
        ["bitstream", "--set", "serial.clock=80000001"],
    ]
    code, out, err = run(script=f"for line in {lines}:\n try: main(line)\n except SystemExit as done: print(done.code)")
    assert (code, out.split()) == (0, ["1", "1", "2", "1", "1"])
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["lowtide:"] * len(lines)
    assert not any(tmp_path.iterdir())
