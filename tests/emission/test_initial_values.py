"""Emission without initial values: only reset prepares a register, and read-only memories keep their contents."""

import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner

from fixtures.slow_cases import one_in
from lowtide.cli.emit import emit
from lowtide.config import Config
from lowtide.emission import UNITS
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import AxiStreamArray
from lowtide.netlist import Unit
from lowtide_boards.targets.self_test_vectors import self_test_vectors

INITIAL_VALUE = re.compile(r"^ *initial\b|^ *reg [^=\n]* = ", re.MULTILINE)
TINY = Config.load("tiny")
TERMS = Config.load("terms").changed({"array.rows": 2, "array.columns": 2, "array.results": "integers"})
DESIGNS = {"array": AxiStreamArray(TERMS)} | {name: kind.make(kind.parameters()) for name, kind in UNITS.items()}


@pytest.mark.parametrize("name", one_in(3, DESIGNS))
def test_nothing_has_an_initial_value(name):
    text, _ = verilog_and_modules(DESIGNS[name], initial_values=False)
    assert not INITIAL_VALUE.search(text)


def test_the_vectors_of_the_self_test_stay():
    """Their memory is read only, so its contents are its function."""
    text, _ = verilog_and_modules(SerialTop(TINY, test=self_test_vectors(TINY)), initial_values=False)
    assert len(re.findall(r"^ *initial\b", text, re.MULTILINE)) == 1
    assert len(re.findall(r"^ *memory\[\d+\] = 8'h", text, re.MULTILINE)) > 100


class Memories(Unit):
    """A writable and a read-only memory, in submodules whose memories have one name."""

    module_name = "memories"

    def __init__(self, contents):
        self._contents = contents
        super().__init__({"address": In(2), "data": In(8), "written": Out(8), "constant": Out(8)})

    def elaborate(self, platform):
        m = Module()
        for name, output in (("ram", self.written), ("rom", self.constant)):
            part = Module()
            part.submodules.memory = memory = Memory(shape=8, depth=4, init=self._contents)
            read = memory.read_port(domain="comb")
            part.d.comb += [read.addr.eq(self.address), output.eq(read.data)]
            if name == "ram":
                write = memory.write_port()
                part.d.comb += [write.en.eq(1), write.addr.eq(self.address), write.data.eq(self.data)]
            m.submodules[name] = part
        return m


@pytest.mark.parametrize(
    ("contents", "initial_values", "memories"),
    [([1, 2, 3, 4], True, 2), ([1, 2, 3, 4], False, 1), ([0, 0, 0, 0], True, 1), ([0, 0, 0, 0], False, 1)],
)
def test_memories_with_contents(contents, initial_values, memories):
    """A written memory has them if they are not zero and initial values are wanted, a read-only memory always."""
    text, _ = verilog_and_modules(Memories(contents), initial_values=initial_values)
    assert len(re.findall(r"^ *initial\b", text, re.MULTILINE)) == memories


@pytest.mark.parametrize(
    "options", [[], pytest.param(["--top", "engine"], marks=pytest.mark.slow), ["--top", "serial"], ["--unit", "fmac"]]
)
def test_the_option_for_every_top(options, tmp_path):
    run = CliRunner().invoke(emit, ["tiny", "-o", str(tmp_path), "--json", "--no-initial-values", *options])
    verilog, sidecar = map(Path, json.loads(run.output)["files"])
    assert json.loads(sidecar.read_text())["initial_values"] is False
    assert not INITIAL_VALUE.search(verilog.read_text())


def test_the_default_of_the_option(tmp_path):
    run = CliRunner().invoke(emit, ["tiny", "-o", str(tmp_path), "--json"])
    verilog, sidecar = map(Path, json.loads(run.output)["files"])
    assert json.loads(sidecar.read_text())["initial_values"] is True
    assert INITIAL_VALUE.search(verilog.read_text())
