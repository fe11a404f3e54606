"""Requantized accumulators, compared with Python fractions, whose `round` rounds ties to even."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_terms import ENCODE, revealed

from lowtide_model.terms import multiplier_of, requantize, requantize_data

repeatable = settings(derandomize=True, deadline=None, max_examples=200)
HALF: Any = 0.5
INT64 = st.integers(-(2**63), 2**63 - 1)
# Accumulators of all sizes, and with few set bits, which give ties.
sizes = st.builds(lambda bits, n: n % (1 << bits), st.integers(1, 63), st.integers(0, 2**63 - 1))
sparse = st.lists(st.integers(0, 62), max_size=3).map(lambda places: sum(1 << n for n in set(places)))
accumulators = INT64 | st.builds(lambda n, sign: sign * n, sizes | sparse, st.sampled_from((1, -1)))
multipliers = st.integers(0, 2**16 - 1) | st.integers(0, 16).map(lambda n: min(1 << n, 2**16 - 1))


def plain(acc, multiplier, shift, width, relu):
    """The definition, and whether the result saturated."""
    rounded = round(Fraction(acc * multiplier, 2**shift))
    rounded = max(rounded, 0) if relu else rounded
    limit = 2 ** (width - 1) - 1
    result = max(-limit, min(rounded, limit))
    return result, result != rounded


def check(accs, multiplier, shift, width, relu):
    expected = [plain(acc, multiplier, shift, width, relu) for acc in accs]
    integers, saturated = requantize(accs, multiplier=multiplier, shift=shift, width=width, relu=relu)
    assert integers.dtype == np.int64
    assert integers.tolist() == [value for value, _ in expected]
    assert saturated == sum(is_saturated for _, is_saturated in expected)


@repeatable
@given(st.lists(accumulators, min_size=1), multipliers, st.integers(0, 127), st.integers(2, 16), st.booleans())
def test_rounded_once_and_saturated(accs, multiplier, shift, width, relu):
    check(accs, multiplier, shift, width, relu)


@repeatable
@given(st.lists(st.integers(-300, 300), min_size=1), st.integers(0, 9), st.integers(0, 4), st.integers(2, 8))
def test_ties_of_small_numbers(accs, multiplier, shift, width):
    check(accs, multiplier, shift, width, relu=False)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 15, 44, 62, 63, 64, 78, 79, 80, 127])
@pytest.mark.parametrize("multiplier", [0, 1, 2**15, 2**16 - 1])
def test_limits_of_all_ranges(multiplier, shift, relu):
    ends = [sign * ((1 << n) + more) for n in (0, 7, 27, 47, 62) for more in (-1, 0, 1) for sign in (1, -1)]
    check([-(2**63), 2**63 - 1, *ends], multiplier, shift, 8, relu)


def test_ties_round_to_even_on_both_sides_of_zero():
    integers, _ = requantize([-7, -5, -3, -1, 1, 3, 5, 7], multiplier=1, shift=1, width=8)
    assert integers.tolist() == [-4, -2, -2, 0, 0, 2, 2, 4]


def test_saturated_results_are_counted_but_not_results_that_relu_clears():
    acc = [[-128, -127], [127, 128]]
    for relu, expected, count in ((False, [[-127, -127], [127, 127]], 2), (True, [[0, 0], [127, 127]], 1)):
        integers, saturated = requantize(acc, multiplier=1, shift=0, width=8, relu=relu)
        assert (integers.tolist(), saturated) == (expected, count)


def test_empty_input_gives_empty_output():
    integers, saturated = requantize(np.zeros((0, 3), np.int32), multiplier=1, shift=0, width=8)
    assert (integers.shape, saturated) == ((0, 3), 0)


@repeatable
@given(st.lists(st.integers(-(2**27), 2**27 - 1), min_size=1), st.integers(0, 5), st.sampled_from(sorted(ENCODE)))
def test_data_keep_their_largest_terms(accs, terms, encoding):
    data, _ = requantize_data(accs, multiplier=40000, shift=35, width=8, terms=terms, encoding=encoding)
    values = [plain(acc, 40000, 35, 8, False)[0] for acc in accs]
    assert data.tolist() == [revealed([value], terms, encoding)[0] for value in values]


@repeatable
@given(st.floats(2.0**-111, 1.0), st.integers(1, 16))
def test_a_multiplier_is_full_and_nearest(scale, bits):
    multiplier, shift = multiplier_of(scale, bits)
    assert 1 << bits - 1 <= multiplier < 1 << bits
    error = abs(Fraction(multiplier, 2**shift) - Fraction(scale))
    assert error <= Fraction(scale) / 2**bits
    for other in (multiplier - 1, multiplier + 1):
        assert error <= abs(Fraction(other, 2**shift) - Fraction(scale))


@repeatable
@given(st.floats(2.0**-60, 1.0), st.integers(-(2**40), 2**40))
def test_no_error_exceeds_the_documented_bound(scale, acc):
    multiplier, shift = multiplier_of(scale)
    integers, saturated = requantize([acc], multiplier=multiplier, shift=shift, width=8)
    if not saturated:
        assert abs(int(integers[0]) - acc * Fraction(scale)) <= Fraction(502, 1000)


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, (2**15, 15)), (1 - 2.0**-40, (2**15, 15)), (65535.0, (65535, 0)), (0.1, (52429, 19))]
)
def test_multipliers_by_hand(scale, expected):
    assert multiplier_of(scale) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: requantize([0.5], multiplier=1, shift=0, width=8), "accumulator must be integers, not float64"),
        (
            lambda: requantize(np.array([1, 2**63], np.uint64), multiplier=1, shift=0, width=8),
            f"accumulator at (1,) must be from {-(2**63)} to {2**63 - 1}, not {2**63}",
        ),
        (lambda: requantize([1], multiplier=2**16, shift=0, width=8), "multiplier must be from 0 to 65535, not 65536"),
        (lambda: requantize([1], multiplier=-1, shift=0, width=8), "multiplier must be from 0 to 65535, not -1"),
        (lambda: requantize([1], multiplier=HALF, shift=0, width=8), "multiplier must be from 0 to 65535, not 0.5"),
        (lambda: requantize([1], multiplier=1, shift=128, width=8), "shift must be from 0 to 127, not 128"),
        (lambda: requantize([1], multiplier=1, shift=True, width=8), "shift must be from 0 to 127, not True"),
        (lambda: requantize([1], multiplier=1, shift=0, width=17), "width must be from 2 to 16, not 17"),
        (
            lambda: requantize_data([1], multiplier=1, shift=0, width=8, terms=-1),
            "terms must be from 0 to 1048576, not -1",
        ),
        (lambda: multiplier_of(0), "scale must be finite and positive, not 0"),
        (lambda: multiplier_of(float("nan")), "scale must be finite and positive, not nan"),
        (lambda: multiplier_of(65536), "scale must be one whose shift is from 0 to 127, not 65536"),
        (lambda: multiplier_of(1.0, 17), "bits must be from 1 to 16, not 17"),
    ],
)
def test_illegal_arguments_are_rejected(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
