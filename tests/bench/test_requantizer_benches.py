"""Bench of the emitted requantizers, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, replaced, without_reset

from lowtide_sim.simulator import SimulationError

BENCH = "lowtide_sim.bench.units.result_flow"
ONE, ROW = "requantizer", "row_requantizer"
SMALL = {"columns": 6, "lanes": 2}
CASES = {
    "one": (ONE, {}),
    "row": (ROW, SMALL | {"product": "adders"}),
    "row of seven": (ROW, {"columns": 7, "accumulator": 27, "width": 5, "counter_bits": 10}),
    "one of few bits": (ONE, {"width": 2, "accumulator": 2, "multiplier": 1, "encoding": "binary"}),
    "one of 64 bits": (ONE, {"width": 16, "accumulator": 64, "encoding": "booth"}),
    "row at once": (ROW, {"columns": 3, "lanes": 3, "accumulator": 35, "encoding": "booth"}),
    "wide row": (ROW, {"columns": 70, "lanes": 1, "accumulator": 9, "multiplier": 5, "product": "adders"}),
}


@pytest.mark.parametrize("name", list(CASES)[:2])
def test_requantizers_on_icarus(run_unit, name):
    run_unit(BENCH, *CASES[name], "icarus", runs=2, resets=12)


def test_a_row_on_verilator(run_unit):
    run_unit(BENCH, *CASES["row"], "verilator", runs=4, resets=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs(run_unit, simulator, name):
    run_unit(BENCH, *CASES[name], simulator, runs=10, resets=60)


NARROWER, REQUANTIZER, WHOLE_ROW = r"rounding_shifter_\w+", r"requantizer_\w+", r"row_requantizer_\w+"
BUGS = {
    "results do not wait for the sink": (
        ONE,
        in_module(REQUANTIZER, r"assign i__ready = .*;", "assign i__ready = 1'h1;"),
    ),
    "a result in flight outlives a reset": (ONE, without_reset(REQUANTIZER, "o__valid")),
    "a shift runs ahead of its accumulator": (ONE, in_module(REQUANTIZER, r"i__ready \? shift :", "1'h1 ? shift :")),
    "ties go up": (ONE, in_module(r"rounder_nearest_even_\w+", r"value\[0\] \| value\[2\]", "1'h1")),
    "bits below are ignored": (ONE, in_module(NARROWER, r"assign below = .*;", "assign below = 1'h0;")),
    "bits above are ignored": (ONE, in_module(NARROWER, r"(assign \\?above\S* +)= .*;", r"\1= 1'h0;")),
    "a negative result is not cleared": (ONE, in_module(NARROWER, r"clear \? 8'h00 : ", "")),
    "a row is released a beat early": (ROW, in_module(r"stream_downsizer_\w+", r"beat == 2'h2", "beat == 2'h1")),
    "stalled results are counted again": (ROW, in_module(WHOLE_ROW, r"o__valid & o__ready", "o__valid & 1'h1")),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_caught(run_unit, bug):
    kind, change = BUGS[bug]
    with pytest.raises(SimulationError) as caught:
        run_unit(BENCH, kind, SMALL if kind == ROW else {}, "icarus", change)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ONE, ROW])
def test_results_do_not_depend_on_register_values_at_power_up(run_unit, kind):
    run_unit(BENCH, kind, {}, "icarus", lambda text: replaced(r"(?m)^(  reg .*\S) += \d+'h\w+;$", r"\1 ;", text))
