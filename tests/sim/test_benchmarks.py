"""The speed measurement runs and is consistent; its figures depend on the machine."""

import pytest

from lowtide_sim.benchmarks.model import CONVERSIONS, Speed, measure, measure_conversion


@pytest.mark.parametrize("every_code", [False, True])
def test_measures_both_products(every_code):
    speed = measure(size=32, repeats=3, every_code=every_code)
    assert speed.golden > 0
    assert speed.float64 > 0


def test_ratio_is_golden_over_float64():
    assert Speed(golden=3.0, float64=2.0).ratio == 1.5


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", CONVERSIONS)
def test_measures_each_conversion(name, axis):
    assert measure_conversion(name, size=64, axis=axis, repeats=2) > 0
