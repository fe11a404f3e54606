"""Texts of figures in tables."""

import math

import pytest

from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.harness.tables import mean_and_error, signed, signed_and_error, with_error


def test_one_seed_has_no_error():
    assert mean_and_error(Summary.of([97.5])) == "97.50"
    assert signed_and_error(Difference.of([1.0], [0.5])) == "+0.50"
    assert with_error("", math.nan) == ""


def test_errors_of_several_seeds():
    assert mean_and_error(Summary.of([97.0, 98.0])) == "97.50 ± 0.50"
    assert signed_and_error(Difference.of([1.0, 1.5], [2.0, 3.5])) == "−1.50 ± 0.50"
    assert with_error("12", 3.4, ".0f") == "12 ± 3"


@pytest.mark.parametrize(("value", "text"), [(0.0, "+0.00"), (-0.001, "+0.00"), (-1.5, "−1.50")])
def test_signs(value, text):
    assert signed(value) == text
