"""Benches of the emitted floating-point multiply-accumulates, on both simulators; and planted bugs."""

import pytest
from mutation import in_module

from lowtide_sim.simulator import SimulationError

FLOATS, BLOCKS = "lowtide_sim.bench.units.float_sums", "lowtide_sim.bench.units.block_sums"
HFP8 = {"operand": "hfp8", "sum": "fp16"}
FLOAT_CASES = {
    "bf16": {},
    "hfp8": HFP8,
    "fp32": {"operand": "fp32"},
    "fp16": {"operand": "fp16"},
    "inferred": {"multiplier": "inferred"},
}
SMALL = {"lanes": 4, "magnitude": 2, "sum": "bf16"}
BLOCK_CASES = {
    "msfp12": {},
    "small": SMALL,
    "fp16": {"sum": "fp16"},
    "fp8": {"lanes": 4, "magnitude": 1, "sum": "fp8_e4m3"},
    "large": {"lanes": 64, "magnitude": 4},
}


def test_sums_on_icarus(run_unit):
    run_unit(FLOATS, "float_mac", HFP8, "icarus", sums=1000)


def test_sums_of_blocks_on_icarus(run_unit):
    run_unit(BLOCKS, "block_float_mac", {}, "icarus", sums=1000)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOAT_CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_many_sums(run_unit, simulator, name):
    run_unit(FLOATS, "float_mac", FLOAT_CASES[name], simulator, sums=20000)


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCK_CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_many_sums_of_blocks(run_unit, simulator, name):
    run_unit(BLOCKS, "block_float_mac", BLOCK_CASES[name], simulator, sums=20000)


BUGS = {
    "the sticky bit is ignored": in_module(r"float_rounder_\w+", r"\| inexact", "| 1'h0"),
    "an overflow by a carry does not saturate": in_module(r"float_rounder_\w+", r"15'h7fff : ", "15'h0000 : "),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(run_unit, bug):
    with pytest.raises(SimulationError, match="random_sums"):
        run_unit(FLOATS, "float_mac", HFP8, "icarus", BUGS[bug], sums=3000)


PRODUCT = "product"
BLOCK_BUGS = {
    "the sticky bit is ignored": in_module(r"float_rounder_\w+", r"\| inexact", "| 1'h0"),
    "an empty product keeps its exponent": in_module(PRODUCT, r" \? (_\w+\[\d+:0\]) : \d+'h0+;", r" ? \1 : \1;"),
    "the exponent of B is ignored": in_module(PRODUCT, r" \+ \\b\$\w+ \[\d+:\d+\];", " + 8'h7f;"),
    "a negative product is only complemented": in_module(PRODUCT, r"\} \+ \\earlier\$\w+ \[\d+\];", "} + 1'h0;"),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BLOCK_BUGS)
def test_a_planted_bug_in_sums_of_blocks_is_caught(run_unit, bug):
    with pytest.raises(SimulationError, match="random_sums"):
        run_unit(BLOCKS, "block_float_mac", SMALL, "icarus", BLOCK_BUGS[bug], sums=1000)
