"""Bench of the emitted sum memory, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, replaced, without_reset

from lowtide_sim.simulator import SimulationError

BENCH, UNIT = "lowtide_sim.bench.units.sum_memory_flow", "sum_memory"
CASES = {
    "two rows": {"rows": 2, "columns": 3, "tiles": 3, "width": 9, "sum_width": 12},
    "one row": {"rows": 1, "columns": 2, "tiles": 1, "width": 6, "sum_width": 9},
    "default": {},
    "three rows": {"rows": 3, "columns": 1, "tiles": 5, "width": 2, "sum_width": 4},
    "wide": {"rows": 1, "columns": 5, "tiles": 7, "width": 100, "sum_width": 128},
    "no more bits": {"rows": 4, "columns": 2, "tiles": 2, "width": 8, "sum_width": 8},
}


@pytest.mark.parametrize("name", list(CASES)[:2])
def test_sums_on_icarus(run_unit, name):
    run_unit(BENCH, UNIT, CASES[name], "icarus", runs=2, resets=12)


def test_sums_on_verilator(run_unit):
    run_unit(BENCH, UNIT, CASES["one row"], "verilator", runs=4, resets=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs(run_unit, simulator, name):
    run_unit(BENCH, UNIT, CASES[name], simulator, runs=10, resets=60)


WHOLE = r"sum_memory_\w+"
BUGS = {
    "a product does not wait for the sums before it": in_module(
        WHOLE, r"assign keeping = .*;", "assign keeping = 1'h0;"
    ),
    "sums are always added": in_module(WHOLE, r"fetched\[0\] \?", "1'h1 ?"),
    "a kept row leaves": in_module(WHOLE, r"full_2 & _\d+_;", "full_2;"),
    "a summed row outlives a reset": without_reset(WHOLE, "full_2"),
    "a sent row outlives a reset": without_reset(WHOLE, "o__valid"),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_caught(run_unit, bug):
    with pytest.raises(SimulationError) as caught:
        run_unit(BENCH, UNIT, CASES["one row"], "icarus", BUGS[bug])
    assert "failed: " in str(caught.value)


@pytest.mark.slow
def test_sums_do_not_depend_on_register_values_at_power_up(run_unit):
    run_unit(BENCH, UNIT, {}, "icarus", lambda text: replaced(r"(?m)^(  reg .*\S) += \d+'h\w+;$", r"\1 ;", text))
