"""Nonfinite numbers and given random words, compared with the reference formulas."""

import math
from fractions import Fraction

import numpy as np
import plain_bfp as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowtide_model import GivenWords, quantize

NUMBERS = (
    st.floats(width=32)
    | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, 3.4028235e38])
    | st.builds(lambda f, t: float(np.float32(np.ldexp(f, t))), st.integers(-300, 300), st.integers(-12, 4))
)


def rounded(value, mode, r, word):
    """A fraction rounded by the definition of a mode."""
    if mode in plain.ROUND:
        return plain.ROUND[mode](value)
    if mode == "carry":
        return (math.floor(value * 2**r) + word) // 2**r
    return (math.floor(value * 2 ** (r + 1)) + 2 * word + 1) // 2 ** (r + 1)


def convert(group, words, *, m, e, B, mode, r):
    """Code, signed magnitudes, whether the group saturated, numbers of saturated and of nonfinite elements."""
    infinite = [math.isinf(x) for x in group]
    bad = [not math.isfinite(x) for x in group]
    sizes = [Fraction(0) if math.isnan(x) else Fraction(min(abs(x), 2.0**128)) for x in group]
    sizes = [size if size >= plain.power(-126) else Fraction(0) for size in sizes]
    if not any(sizes):
        return 0, [0] * len(group), False, 0, sum(bad)
    X = max(plain.floor_log2(size) for size in sizes if size)
    E = min(max(X - B, 0), 2**e - 1)
    M = [rounded(size * plain.power(m - 1 - E - B), mode, r, word) for size, word in zip(sizes, words, strict=True)]
    saturated = [magnitude >= 2**m or inf for magnitude, inf in zip(M, infinite, strict=True)]
    M = [2**m - 1 if is_saturated else magnitude for is_saturated, magnitude in zip(saturated, M, strict=True)]
    signed = [-magnitude if x < 0 else magnitude for x, magnitude in zip(group, M, strict=True)]
    return E, signed, 2**e - 1 < X - B, sum(saturated), sum(bad)


@plain.repeatable
@given(
    st.lists(NUMBERS, min_size=1, max_size=5),
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(-20, 8) | st.integers(-256, 255) | st.sampled_from([121, 126, 127, 128]),
    st.sampled_from(["truncate", "nearest", "nearest_even", "carry", "half_step"]),
    st.integers(1, 23),
    st.randoms(use_true_random=False),
    st.sampled_from([np.float32, np.float64]),
)
def test_any_numbers_by_the_formula(group, m, e, B, mode, r, random, dtype):
    words = [random.choice((0, 2**r - 1, random.randrange(2**r))) for _ in group]
    rounding = GivenWords(mode=mode, bits=r, words=words) if mode in ("carry", "half_step") else mode
    tensor = quantize(
        np.array(group, dtype),
        mantissa=m,
        exponent=e,
        group=len(group),
        bias=B,
        rounding=rounding,
        nonfinite="saturate",
    )
    E, signed, above, saturated, bad = convert(group, words, m=m, e=e, B=B, mode=mode, r=r)
    assert tensor.signed.tolist() == signed
    assert tensor.codes.tolist() == [E]
    assert (tensor.saturated_groups, tensor.saturated_elements, tensor.nonfinite_elements) == (above, saturated, bad)


def test_infinities_are_the_largest_magnitude_at_any_bias():
    x = np.array([np.inf, -np.inf, np.nan, 2.0**127], np.float32)
    for bias, code, half in ((0, 7, 7), (122, 6, 2), (127, 1, 2), (200, 0, 0)):
        tensor = quantize(x, mantissa=3, group=4, bias=bias, rounding="truncate", nonfinite="saturate")
        assert tensor.codes.tolist() == [code]
        assert tensor.signed.tolist() == [7, -7, 0, half]
        assert tensor.nonfinite_elements == 3


def test_the_default_bias_counts_an_infinity_as_exponent_128():
    x = np.array([[np.inf, 1.0], [1.0, np.nan]], np.float32)
    assert quantize(x, mantissa=4, group=2, nonfinite="saturate").bias == 128 - 7


def test_illegal_choices_are_rejected():
    one = np.ones(4, np.float32)
    with pytest.raises(ValueError, match=r"^nonfinite must be one of raise, saturate, not 'ignore'$"):
        quantize(one, mantissa=4, nonfinite="ignore")
    with pytest.raises(ValueError, match=r"^mode must be one of carry, half_step, not 'nearest'$"):
        GivenWords(mode="nearest", bits=3, words=[1])
    with pytest.raises(ValueError, match=r"^words at \(0,\) must be from 0 to 7, not 8$"):
        GivenWords(mode="carry", bits=3, words=[8])
