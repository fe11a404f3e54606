"""A project in a folder whose name contains characters special to make, the shell or lists of paths."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lowtide.errors import SimulationError
from lowtide_sim import build_folder, compiled_top

ROOT = Path(__file__).parents[2]
EVERYTHING = 'it\'s "my" $HOME;a,b (1) & #ü'
NAMES = ["my project", "it's", 'say "so"', "$HOME", "Übung", "a;b,c&d", "(1) #2"]

BUILDS = """\
from pathlib import Path

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide_sim.compiled_top import compiled_top
from lowtide_sim.simulator import simulate


class Inverter(Unit):
    def __init__(self):
        self.module_name = "inverter"
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


harness = Path("harness.cpp")
function = "int inverse(int i) { Vtop top; top.i = i; top.eval(); return top.o; }"
harness.write_text('#include "Vtop.h"\\nextern "C" ' + function)
library = compiled_top(Inverter(), harness, Path("libraries"))
assert [library.inverse(i) for i in (0, 1)] == [1, 0]

verilog = Path("inverter.v")
verilog.write_text("module inverter(input i, output o);\\nassign o = ~i;\\nendmodule\\n")
Path("bench.py").write_text('''
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def inverts(dut):
    for value in (0, 1):
        dut.i.value = value
        await Timer(1, "ns")
        assert dut.o.value == 1 - value
''')
done = simulate(verilog=verilog, top="inverter", test_module="bench", folder=Path("run"))
assert done.tests == ("inverts",)
"""


@pytest.fixture
def programs(tmp_path):
    """A folder with the system's programs, except `python`, which Debian lacks."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for program in {path.name: path for root in ("/bin", "/usr/bin") for path in Path(root).iterdir()}.values():
        if program.name != "python":
            (folder / program.name).symlink_to(program)
    return folder


@pytest.fixture
def project(tmp_path, programs):
    """A function that links the project and its environment into a folder, and returns a runner of commands there."""

    def made(name):
        folder = tmp_path / name
        folder.mkdir()
        for part in ("hdl", "sim", "boards", "configs", "Makefile", "pyproject.toml", "constraints.txt"):
            (folder / part).symlink_to(ROOT / part)
        (folder / ".venv").symlink_to(sys.prefix)

        def run(*command):
            paths = os.pathsep.join(str(folder / part) for part in ("hdl", "sim", "boards"))
            environment = {
                "PATH": str(programs),
                "HOME": os.environ.get("HOME", str(tmp_path)),
                "PYTHONPATH": f"{folder}:{paths}",
            }
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
            return done.stdout

        return folder, run

    return made


@pytest.mark.slow
def test_benches_and_libraries_are_built(project):
    folder, run = project(EVERYTHING)
    run(folder / ".venv" / "bin" / "python", "-c", BUILDS)


def test_without_a_plain_folder_one_line_names_the_cause(monkeypatch):
    monkeypatch.setattr(build_folder.tempfile, "gettempdir", lambda: "/no/my $TMP")
    monkeypatch.setattr(build_folder.os, "access", lambda *_: False)
    with pytest.raises(SimulationError) as caught, build_folder.build_folder():
        pass
    assert str(caught.value) == (
        "no folder for builds: make does not support the path '/no/my $TMP'; set TMPDIR to a folder with only letters,"
        " digits and _ . / + - in its path"
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("g++ -c x.cpp\nx.cpp:1:1: error: no such thing\nmake: *** [x.o] Error 1\n", "x.cpp:1:1: error: no such thing"),
        ("make: python: No such file or directory\nmake: *** Error 127\n", "make: python: No such file or directory"),
        ("/bin/sh: 1: g++: not found\nmake: *** Error 127\n", "/bin/sh: 1: g++: not found"),
        ("Killed\n", "Killed"),
        ("", "the compiler failed and printed nothing"),
    ],
)
def test_the_reason_of_a_failed_build_is_kept(monkeypatch, tmp_path, output, reason):
    failed = subprocess.CompletedProcess([], 1, output, "")
    monkeypatch.setattr(compiled_top.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SimulationError) as caught:
        compiled_top._run(["/x/verilator_bin"], tmp_path, {})
    assert str(caught.value) == f"cannot build the library: {reason}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_benches_and_libraries_are_built_in_each(project, name):
    folder, run = project(name)
    run(folder / ".venv" / "bin" / "python", "-c", BUILDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [EVERYTHING, "my project"])
def test_commands_and_make(project, name):
    folder, run = project(name)
    assert "build/verilog/lowtide_array.v" in run("make", "verilog", "CONFIG=tiny")
    lowtide = (folder / ".venv" / "bin" / "python", "-m", "lowtide")
    report = run(*lowtide, "report", "--unit", "rounder", "--target", "ice40", "--seeds", "1", "--json")
    assert json.loads(report)["rows"][0]["timing"]["fmax"]
    simulated = run(*lowtide, "sim", "tiny", "--images", "1", "--waves", "--output", name)
    assert "Every word equals the golden model's." in simulated
    assert (folder / name / "lowtide_array.vcd").stat().st_size
    small = ("--set", "array.rows=1", "--set", "array.columns=1", "--set", "bfp.max_k=64")
    files = run(*lowtide, "board", "build", "--board", "icebreaker", "-o", name, *small)
    assert (folder / name / "lowtide-icebreaker.bin").exists(), files
