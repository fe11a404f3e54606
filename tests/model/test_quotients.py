"""Quotients of floats are rounded once: compared with fractions, mainly near ties and at the limits of the range."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_bfp import repeatable

from lowtide_model.quotient import nearest_quotient
from lowtide_model.terms import multiplier_of, quantize_integers
from lowtide_studies.networks.arithmetic import Integers

finite = st.floats(allow_nan=False, allow_infinity=False)


def exactly(x, scale):
    """A fraction, rounded by Python to nearest, ties to even."""
    return round(Fraction(float(x)) / Fraction(float(scale)))


def near_ties(scale, k):
    """The floats near ``(k + 1/2) scale``, one of which may be a tie."""
    middle = float(scale) * (k + 0.5)
    return [np.nextafter(middle, 0), middle, np.nextafter(middle, np.inf)]


@repeatable
@given(st.floats(2.0**-1022, 2.0**1000), st.integers(0, 2**15))
def test_quotients_about_ties_are_those_of_fractions(scale, k):
    x = np.array(near_ties(scale, k))
    for sign in (1, -1):
        assert nearest_quotient(sign * x, scale).tolist() == [exactly(sign * value, scale) for value in x]
    away = [floor(Fraction(float(value)) / Fraction(scale) + Fraction(1, 2)) for value in x]
    assert nearest_quotient(x, scale, even=False).tolist() == away


@repeatable
@given(st.lists(finite, min_size=1, max_size=6), st.integers(2, 16))
def test_tensors_are_those_of_fractions(values, width):
    tensor, largest = quantize_integers(values, width), 2 ** (width - 1) - 1
    scale = float(tensor.scale.item())
    top = max(map(abs, values))
    if top / largest < 2.0**-1022:
        assert scale == 1
        assert not tensor.integers.any()
        return
    assert scale == top / largest
    assert tensor.integers.tolist() == [exactly(value, scale) for value in values]
    assert np.abs(tensor.integers).max() == largest


@pytest.mark.parametrize("width", range(2, 17))
def test_halves_of_every_step(width):
    """Multiples of half a step, which are ties in float64 although the scale is rounded."""
    rng, largest = np.random.default_rng(width), 2 ** (width - 1) - 1
    for top in rng.uniform(0.5, 1, 20):
        scale = top / largest
        k = rng.integers(0, largest, 20)
        x = np.concatenate([[top], *(near_ties(scale, each) for each in k)])
        x = x[np.abs(x) <= top]
        assert quantize_integers(x, width).integers.tolist() == [exactly(value, scale) for value in x]


@pytest.mark.parametrize("width", [2, 8, 16])
@pytest.mark.parametrize("top", [5e-324, 2.0**-1074 * 190, 2.0**-1030, 2.0**-1022])
def test_a_scale_that_underflows_gives_zeros(width, top):
    largest = 2 ** (width - 1) - 1
    tensor = quantize_integers(np.array([top, 0.0, -top]), width)
    if top / largest >= 2.0**-1022:
        assert tensor.integers.tolist() == [largest, 0, -largest]
    else:
        assert tensor.integers.tolist() == [0, 0, 0]
        assert tensor.scale.tolist() == [1]


def test_a_channel_whose_scale_underflows_does_not_affect_the_others():
    x = np.array([[5e-324, -5e-324], [1.0, -0.25], [1.7e308, 1e-300], [0.0, 0.0]])
    tensor = quantize_integers(x, 8, channel=0)
    assert tensor.integers.tolist() == [[0, 0], [127, -32], [127, 0], [0, 0]]
    assert tensor.scale.ravel().tolist() == [1, 1 / 127, 1.7e308 / 127, 1]


@repeatable
@given(st.integers(1, 2**80), st.integers(1, 2**80), st.integers(1, 16))
def test_multipliers_of_fractions_are_rounded_once(numerator, denominator, bits):
    scale = Fraction(numerator, denominator)
    if not 2**bits > scale > Fraction(2) ** (bits - 120):
        return
    multiplier, shift = multiplier_of(scale, bits)
    assert 2 ** (bits - 1) <= multiplier < 2**bits
    wanted = round(scale * 2**shift)
    assert multiplier == wanted or (multiplier, wanted) == (2 ** (bits - 1), 2 ** (bits - 1))


@repeatable
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6), st.integers(1, 15))
def test_weights_of_a_study_are_rounded_once(values, bits):
    tensor = Integers(bits=bits).value(np.array([values]), axis=1)
    if tensor.signed.any():
        assert tensor.signed[0].tolist() == [exactly(value, tensor.scale) for value in values]
    else:
        assert max(map(abs, values)) / (2**bits - 1) < 2.0**-1022
