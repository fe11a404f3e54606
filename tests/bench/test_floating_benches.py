"""The emitted floating-point multiply-accumulates under their bench, on both simulators, and with a bug."""

import pytest
from mutation import in_module

from lowtide_sim.simulator import SimulationError

BENCH = "lowtide_sim.bench.float_sums"
UNIT = "float_mac"
HFP8 = {"operand": "hfp8", "sum": "fp16"}
CASES = {
    "bf16": {},
    "hfp8": HFP8,
    "fp32": {"operand": "fp32"},
    "fp16": {"operand": "fp16"},
    "inferred": {"multiplier": "inferred"},
}


def test_sums_on_icarus(run_unit):
    run_unit(BENCH, UNIT, HFP8, "icarus", sums=1000)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_many_sums(run_unit, simulator, name):
    run_unit(BENCH, UNIT, CASES[name], simulator, sums=20000)


BUGS = {
    "ones below are overlooked": in_module(r"float_rounder_\w+", r"\| inexact", "| 1'h0"),
    "a carry beyond the largest is let pass": in_module(r"float_rounder_\w+", r"15'h7fff : ", "15'h0000 : "),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(run_unit, bug):
    with pytest.raises(SimulationError, match="random_sums"):
        run_unit(BENCH, UNIT, HFP8, "icarus", BUGS[bug], sums=3000)
