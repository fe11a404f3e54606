"""Bench of the emitted converters, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, replaced, without_reset

from fixtures.slow_cases import quick_only
from lowtide_sim.simulator import SimulationError

BENCH = "lowtide_sim.bench.units.converter_flow"
WHOLE, SERIAL = "bfp_converter", "serial_bfp_converter"
SMALL = {"lanes": 3, "rounding": "carry", "random": 3}
CASES = {
    "whole carry": (WHOLE, SMALL),
    "serial carry": (SERIAL, SMALL),
    "whole nearest": (WHOLE, {"lanes": 16, "rounding": "nearest"}),
    "serial one lane": (SERIAL, {"lanes": 1, "rounding": "nearest_even", "mantissa": 8}),
    "whole half step": (WHOLE, {"lanes": 2, "rounding": "half_step", "random": 23, "mantissa": 12, "exponent": 5}),
    "serial truncate": (SERIAL, {"lanes": 8, "rounding": "truncate", "exponent": 1}),
}


@pytest.mark.parametrize("name", quick_only(list(CASES)[:2], list(CASES)[:4]))
def test_converters_on_icarus(run_unit, name):
    run_unit(BENCH, *CASES[name], "icarus", tensors=6, resets=12)


def test_a_converter_on_verilator(run_unit):
    run_unit(BENCH, *CASES["serial carry"], "verilator", tensors=20, resets=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs(run_unit, simulator, name):
    run_unit(BENCH, *CASES[name], simulator, tensors=60, resets=100)


def in_unit(pattern, replacement):
    """A mutation of the converter's module."""
    return in_module(r"(serial_)?bfp_converter_\w+", pattern, replacement)


BUGS = {
    "groups do not wait for the sink": (WHOLE, in_unit(r"assign i__ready = .*;", "assign i__ready = 1'h1;")),
    "the window is a cycle late": (
        WHOLE,
        in_module(
            r"exponent_window_\w+",
            r"always @\(posedge clk\)\s+top <= (.*);",
            r"reg [8:0] late; always @(posedge clk) {late, top} <= {\1, late};",
        ),
    ),
    "subnormal numbers count": (
        WHOLE,
        in_module(r"fp32_unpacker_\w+", r"assign nothing = .*;", "assign nothing = nan;"),
    ),
    "a NaN counts as an infinity": (
        WHOLE,
        in_module(r"fp32_unpacker_\w+", r"assign nan = .*;", "assign nan = 1'h0;"),
    ),
    "magnitudes wrap": (
        WHOLE,
        in_module(r"mantissa_quantizer_\w+", r"assign saturates = .*;", "assign saturates = 1'h0;"),
    ),
    "a stall uses up random words": (WHOLE, in_unit(r"assign step = i__ready & ", "assign step = ")),
    "a group in flight outlives a reset": (WHOLE, without_reset(r"bfp_converter_\w+", "o__valid")),
    "nonfinite is not sticky": (SERIAL, in_unit(r"= nonfinite \| ", "= ")),
    "the queue has no end": (SERIAL, in_unit(r"reserved != \S+;", "1'h1;")),
    "short groups are not padded": (SERIAL, in_unit(r"= last & .*;", "= 1'h0;")),
    "groups ignore stalls": (SERIAL, in_unit(r"assign move = .*;", "assign move = 1'h1;")),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_caught(run_unit, bug):
    kind, change = BUGS[bug]
    with pytest.raises(SimulationError) as caught:
        run_unit(BENCH, kind, SMALL, "icarus", change)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [WHOLE, SERIAL])
def test_results_do_not_depend_on_register_values_at_power_up(run_unit, kind):
    run_unit(BENCH, kind, SMALL, "icarus", lambda text: replaced(r"(?m)^(  reg .*\S) += \d+'h\w+;$", r"\1 ;", text))
