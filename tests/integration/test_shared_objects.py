"""Builds of Verilated designs share the simulator's own objects, which take most of the time of a small build."""

import shutil
import subprocess

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide_sim.build_folder import keep_objects, shared_runtime
from lowtide_sim.compiled_top import compiled_top

HARNESS = """
#include "Vtop.h"
extern "C" int value(int i) { Vtop top; top.i = i; top.eval(); return top.o + OFFSET; }
"""


class Wire(Unit):
    def __init__(self):
        self.module_name = "wire_of_one_bit"
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.i)
        return m


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_builds_shared_objects_once(tmp_path):
    """The makefile of a later build is newer than the objects, which depend on it."""
    texts = []
    for number, options in enumerate(("-O1", "-O1", "-O0")):
        objects = tmp_path / str(number)
        with shared_runtime(objects, tmp_path / "cache", options):
            makefile = objects / "top.mk"
            makefile.write_text(f"verilated.o top.o: top.mk\n\techo {number} > $@\n")
            command = ["make", "-f", makefile.name, keep_objects(makefile.name), "verilated.o", "top.o"]
            subprocess.run(command, cwd=objects, check=True)
        texts.append([(objects / name).read_text().strip() for name in ("verilated.o", "top.o")])
    assert texts == [["0", "0"], ["0", "1"], ["2", "2"]]


@pytest.mark.slow
def test_verilator_takes_shared_objects(tmp_path):
    harness = tmp_path / "harness.cpp"
    harness.write_text(HARNESS)
    libraries = tmp_path / "libraries"
    assert compiled_top(Wire(), harness, libraries, {"OFFSET": 2}).value(1) == 3
    (shared,) = libraries.glob("runtime-*/verilated.o")
    shared.write_text("not an object")
    with pytest.raises(OSError, match="undefined symbol"):  # of the object that was not built again
        compiled_top(Wire(), harness, libraries, {"OFFSET": 3})
