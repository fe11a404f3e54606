"""Random legal designs pass lint: no tool reports a warning."""

import re
import warnings
from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out
from legal_configurations import draw_config, draw_engine_config, draw_unit
from lint import complaints, reserved_names

from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.registry import UNITS
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import ENGINE_BUSES, AxiStreamArray, AxiStreamEngine
from lowtide.engine.column_normalizer import ColumnNormalizer
from lowtide.engine.post_operations import PostOperations
from lowtide.engine.sum_memory import SumMemory, SumMemoryParams
from lowtide.interfaces.axi_lite import AxiLite
from lowtide.interfaces.params import RegisterSpace
from lowtide.interfaces.wishbone import Wishbone
from lowtide.netlist import Unit
from lowtide.units.conversion.row_normalizer import RowNormalizerParams

QUICK, CI, ALL = 3, 60, 1000
"""Upper bounds of the seeds for the quick tests, for CI, and for the long tests."""

KINDS = ("unit", "array", "unit", "engine", "unit", "unit", "array", "unit", "serial", "unit")
"""Kinds of designs, which alternate from seed to seed."""


def drawn(seed: int, most: int) -> Unit:
    """The design of a seed, with at most ``most`` rows and columns."""
    random = Random(seed)
    array = {"rows": random.randint(1, most), "columns": random.randint(1, most)}
    kind = KINDS[seed % len(KINDS)]
    if kind == "unit":
        rounds, place = divmod(seed, len(KINDS))
        earlier = rounds * KINDS.count(kind) + KINDS[:place].count(kind)
        name, parameters = draw_unit(random, list(UNITS)[earlier % len(UNITS)])
        return UNITS[name].make(parameters)
    if kind == "array":
        return AxiStreamArray(draw_config(random, {"array": array}))
    config = draw_engine_config(random, {"array": array, "bfp": {"lanes": random.choice((4, 8))}})
    if kind == "serial":
        return SerialTop(config)
    return AxiStreamEngine(config, bus=random.choice(ENGINE_BUSES))


def said_of(seed: int, most: int, folder) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)  # Amaranth's warning about a comparison that is never true
        top = drawn(seed, most)
        text, _ = verilog_and_modules(top)
    assert "[-1:" not in text
    return complaints(text, top.module_name, folder)


@pytest.mark.parametrize("seed", range(QUICK))
def test_a_random_design_is_clean(seed, tmp_path):
    assert said_of(seed, 3, tmp_path) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(QUICK, CI))
def test_another_random_design_is_clean(seed, tmp_path):
    assert said_of(seed, 3, tmp_path) == ""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(CI, ALL, 20))
def test_many_random_designs_are_clean(first, tmp_path):
    for seed in range(first, first + 20):
        assert said_of(seed, 6, tmp_path) == "", seed


def test_every_unit_is_among_those_of_ci():
    assert len({type(drawn(seed, 1)) for seed in range(CI) if KINDS[seed % len(KINDS)] == "unit"}) == len(UNITS)


@pytest.mark.parametrize("preset", ["tiny", "default"])
def test_a_preset_is_clean(preset, tmp_path):
    top = AxiStreamArray(Config.load(preset))
    assert complaints(verilog_and_modules(top)[0], top.module_name, tmp_path) == ""


class Reversed(Unit):
    """Bits in reverse order, which Yosys writes as one concatenation."""

    module_name = "reversed_bits"

    def __init__(self, width: int):
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.i[::-1])
        return m


@pytest.mark.parametrize(
    "top",
    [
        SumMemory(SumMemoryParams(rows=1, columns=2, tiles=1, width=8, sum_width=9)),
        PostOperations(1, 2, 2, 1, 4, 4),
        ColumnNormalizer(RowNormalizerParams(columns=2, normalizers=2), 1, 1, 4, 4),
    ],
    ids=lambda top: type(top).__name__,
)
def test_a_memory_of_one_word_is_a_register(top, tmp_path):
    text = verilog_and_modules(top)[0]
    assert not re.search(r"reg \[[\d:]+\] \w+ \[[\d:]+\];", text)
    assert complaints(text, top.module_name, tmp_path) == ""


def test_a_concatenation_of_many_bits_has_several_lines(tmp_path):
    text = verilog_and_modules(Reversed(15_000))[0]
    assert max(map(len, text.splitlines())) < 10_000
    assert complaints(text, "reversed_bits", tmp_path) == ""


@pytest.mark.parametrize("registers", [2, 55, 64, 1024])
@pytest.mark.parametrize("unit", [AxiLite, Wishbone])
def test_a_bus_is_clean(unit, registers, tmp_path):
    top = unit(RegisterSpace(registers=registers))
    assert complaints(verilog_and_modules(top)[0], top.module_name, tmp_path) == ""


GOOD = """module m(clk, a, b);
  input clk;
  input [3:0] a;
  output [3:0] b;
  n inner (
    .a(a),
    .b(b)
  );
endmodule
module n(a, b);
  input [3:0] a;
  output [3:0] b;
  assign b = a;
endmodule
"""


def test_a_clean_design_is_clean(tmp_path):
    assert complaints(GOOD, "m", tmp_path) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("input [3:0] a;\n  output [3:0] b;\n  n", "input [2:0] a;\n  output [3:0] b;\n  n", "WIDTHEXPAND"),
        ("input [3:0] a;\n  output [3:0] b;\n  n", "input [4:0] a;\n  output [3:0] b;\n  n", "WIDTHTRUNC"),
        ("  input clk;", "  input clk;\n  wire c;\n  assign b[0] = c;", "UNDRIVEN"),
        ("  input clk;", "  input clk;\n  wire long;\n  assign long = clk;", "long"),
        ("  input clk;", "  input clk;\n  wire \\final ;\n  assign \\final = clk;", "final"),
        ("  input clk;", "  input clk;\n  wire [-1:0] c;\n  assign c = {2{clk}};", "ASCRANGE"),
        ("  assign b = a;", "  wire inner = a[0];\n  assign b = {4{inner}};", "VARHIDDEN"),
        ("  assign b = a;", "  assign b = a <= 4'hf ? a : 4'h0;", "CMPCONST"),
        ("  assign b = a;", "  wire c;\n  assign b = {a[2:0], c};", "check -assert"),
        ("  assign b = a;", "  wire c = a[0] ^ d;\n  wire d = c & a[1];\n  assign b = {4{d}};", "logic loop"),
    ],
)
def test_a_design_with_a_fault_is_not(right, wrong, said, tmp_path):
    assert GOOD.count(right) == 1
    assert said in complaints(GOOD.replace(right, wrong), "m", tmp_path)


def test_names_of_all_kinds_are_checked():
    text = "module bit(a);\n  input [1:0] byte;\n  reg signed [3:0] \\final ;\n  reg [7:0] do [3:0];\n  n queue (\n"
    text += "  (* keep *) n cell (\n  function [0:0] this;\n  assign x = byte;\n"
    assert reserved_names(text) == ["bit", "byte", "cell", "do", "final", "this"]


def test_zero_width_fields_leave_no_ports(tmp_path):
    """A group of eight values fills one slot, so the slot index has zero bits."""
    config = Config.load("terms").changed({"terms.values": 8, "array.rows": 1, "array.columns": 1})
    top = AxiStreamArray(config)
    text, _ = verilog_and_modules(top)
    assert "[-1:0]" not in text
    assert complaints(text, top.module_name, tmp_path) == ""
