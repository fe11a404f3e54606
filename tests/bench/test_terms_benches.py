"""Bench of the emitted digit serializer and waterline, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, replaced, without_reset

from lowtide_sim.simulator import SimulationError

BENCH = "lowtide_sim.bench.units.terms_flow"
SERIALIZER, WATERLINE = "digit_serializer", "waterline"
CASES = {
    "waterline": (WATERLINE, {}),
    "serializer": (SERIALIZER, {"digits": 5, "lanes": 3}),
    "waterline of five": (WATERLINE, {"group": 5, "budget": 7}),
    "waterline of one": (WATERLINE, {"group": 1, "budget": 3}),
    "waterline of 64": (WATERLINE, {"group": 64, "budget": 200}),
    "serializer of one": (SERIALIZER, {"digits": 1, "lanes": 1}),
    "serializer of 64": (SERIALIZER, {"digits": 9, "lanes": 64}),
}


@pytest.mark.parametrize("name", list(CASES)[:2])
def test_units_on_icarus(run_unit, name):
    run_unit(BENCH, *CASES[name], "icarus", runs=1, resets=10)


@pytest.mark.slow
def test_a_serializer_on_verilator(run_unit):
    run_unit(BENCH, *CASES["serializer"], "verilator", runs=2, resets=20)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs(run_unit, simulator, name):
    run_unit(BENCH, *CASES[name], simulator, runs=6, resets=60)


def in_unit(pattern, replacement):
    """A mutation of the unit's module."""
    return in_module(r"(waterline|digit_serializer)_\w+", pattern, replacement)


BUGS = {
    "planes do not wait for the sink": (WATERLINE, in_unit(r"assign i__ready = .*;", "assign i__ready = 1'h1;")),
    "a group keeps digits of the previous group": (
        WATERLINE,
        in_unit(r"(= \\earlier\S* +\? )\S+ +: rest;", r"\1rest : rest;"),
    ),
    "values beyond the group count": (WATERLINE, in_unit(r"(assign ones = \S+) & .*;", r"\1;")),
    "settings change during a group": (WATERLINE, in_unit(r"& i__payload\[16\];", "& 1'h1;")),
    "an invalid plane uses up the budget": (WATERLINE, in_unit(r"i__ready & there;", "i__ready & 1'h1;")),
    "a term is not counted": (WATERLINE, in_module(r"prefix_count_\w+", r"\+ ones\[7\]", "+ 1'h0")),
    "a plane in flight outlives a reset": (WATERLINE, without_reset(r"waterline_\w+", "o__valid")),
    "planes are overwritten": (SERIALIZER, in_unit(r"assign move = .*;", "assign move = 1'h1;")),
    "a group is released a plane early": (SERIALIZER, in_unit(r"sent == 3'h4", "sent == 3'h3")),
    "a reset does not restart a group": (SERIALIZER, without_reset(r"digit_serializer_\w+", "sent")),
    "planes are in the wrong order": (SERIALIZER, in_unit(r"= sent\[0\] \?", "= !sent[0] ?")),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_caught(run_unit, bug):
    kind, change = BUGS[bug]
    with pytest.raises(SimulationError) as caught:
        run_unit(BENCH, kind, {} if kind == WATERLINE else CASES["serializer"][1], "icarus", change)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CASES)[:2])
def test_results_do_not_depend_on_register_values_at_power_up(run_unit, name):
    run_unit(BENCH, *CASES[name], "icarus", lambda text: replaced(r"(?m)^(  reg .*\S) += \d+'h\w+;$", r"\1 ;", text))
