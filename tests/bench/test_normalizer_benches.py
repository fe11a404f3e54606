"""Bench of the emitted normalizers, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, replaced, without_reset

from lowtide_sim.simulator import SimulationError

BENCH = "lowtide_sim.bench.units.result_flow"
ONE, ROW = "normalizer", "row_normalizer"
SMALL = {"columns": 6, "normalizers": 2}
CASES = {
    "one": (ONE, {}),
    "row": (ROW, SMALL),
    "row of seven": (ROW, {"columns": 7, "width": 27, "counter_bits": 10}),
    "one of two bits": (ONE, {"width": 2}),
    "one of 128 bits": (ONE, {"width": 128}),
    "row at once": (ROW, {"columns": 3, "normalizers": 3, "width": 83}),
    "wide row": (ROW, {"columns": 70, "normalizers": 1, "width": 9}),
}


@pytest.mark.parametrize("name", list(CASES)[:2])
def test_normalizers_on_icarus(run_unit, name):
    run_unit(BENCH, *CASES[name], "icarus", runs=2, resets=12)


def test_a_row_on_verilator(run_unit):
    run_unit(BENCH, *CASES["row"], "verilator", runs=4, resets=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs(run_unit, simulator, name):
    run_unit(BENCH, *CASES[name], simulator, runs=10, resets=60)


SHIFT, NORMALIZER, DEALER, WHOLE_ROW = (
    r"leading_zero_shifter_\w+",
    r"normalizer_\w+",
    r"stream_downsizer_\w+",
    r"row_normalizer_\w+",
)
BUGS = {
    "numbers do not wait for the sink": (
        ONE,
        in_module(NORMALIZER, r"assign i__ready = .*;", "assign i__ready = 1'h1;"),
    ),
    "a number in flight outlives a reset": (ONE, without_reset(NORMALIZER, "o__valid")),
    "the sticky bit is ignored": (ONE, in_module(SHIFT, r"assign inexact = .*;", "assign inexact = 1'h0;")),
    "a row is released a beat early": (ROW, in_module(DEALER, r"beat == 2'h2", "beat == 2'h1")),
    "a reset does not restart a row": (ROW, without_reset(DEALER, "beat")),
    "stalled numbers are counted again": (ROW, in_module(WHOLE_ROW, r"o__valid & o__ready", "o__valid & 1'h1")),
    "counts outlive a reset": (ROW, without_reset(r"saturating_counter_\w+", "count")),
    "counts are never cleared": (ROW, in_module(r"saturating_counter_\w+", r"= clear \?", "= 1'h0 ?")),
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
