"""Relative improvement of a second chunk, compared with exact fractions, element by element."""

from fractions import Fraction

import numpy as np
import pytest

from lowtide.formats import IllegalValue
from lowtide_model import Improvement, improvement_of


def plain(x, chunk, exponent, group, bias):
    """The sums by the definition, with Python's fractions."""
    top, m = 2**exponent - 1, 2 * chunk
    rest = kept = Fraction(0)
    for row in x:
        for first in range(0, len(row), group):
            values = [Fraction(float(abs(value))) for value in row[first : first + group]]
            exponents = [int(np.frexp(float(value))[1]) - 1 for value in values if value]
            code = min(max(max(exponents) - bias, 0), top) if exponents else 0
            for value in values:
                magnitude = min(int(value * Fraction(2) ** (m - 1 - code - bias)), 2**m - 1)
                rest += (magnitude % 2**chunk) * 2**code
                kept += (magnitude - magnitude % 2**chunk) * 2**code
    return Improvement(int(rest), int(kept))


@pytest.mark.parametrize(("chunk", "exponent", "group"), [(2, 3, 16), (1, 1, 4), (4, 3, 5), (3, 5, 8)])
@pytest.mark.parametrize("bias", [-7, 0])
def test_the_improvement_follows_the_definition(chunk, exponent, group, bias):
    rng = np.random.default_rng(1)
    for axis in (0, 1):
        x = (rng.standard_normal((7, 37)) * np.exp2(rng.integers(-5, 5, (7, 1)))).astype(np.float32)
        found = improvement_of(x, chunk=chunk, exponent=exponent, group=group, axis=axis, bias=bias)
        assert found == plain(x if axis else x.T, chunk, exponent, group, bias)


def test_the_improvement_of_normal_numbers_matches_the_paper():
    x = np.random.default_rng(2).standard_normal((256, 256)).astype(np.float32)
    assert abs(improvement_of(x, chunk=2, exponent=3, group=16, axis=1).value - 0.53) < 0.01


def test_thresholds_are_256ths():
    assert Improvement(129, 256).exceeds(128)
    assert not Improvement(128, 256).exceeds(128)
    assert not Improvement(0, 0).exceeds(0)
    assert Improvement(0, 0).value == 0
    with pytest.raises(IllegalValue, match="threshold must be from 0 to 1023, not 1024"):
        Improvement(1, 1).exceeds(1024)
