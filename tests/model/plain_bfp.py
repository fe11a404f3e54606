"""Reference of the BFP formulas, in exact Python numbers, one element at a time: slow and simple."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import settings

# Every run draws the same examples.
repeatable = settings(derandomize=True, deadline=None, max_examples=400)


def power(exponent):
    return Fraction(2) ** exponent


def floor_log2(value):
    """``floor(log2(value))`` of a positive fraction."""
    estimate = value.numerator.bit_length() - value.denominator.bit_length()
    return estimate if power(estimate) <= value else estimate - 1


def round_nearest(value):
    """Round a nonnegative fraction to nearest, ties to even."""
    below = math.floor(value)
    rest = value - below
    return below + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1))


def round_away(value):
    """Round a nonnegative fraction to nearest, ties up."""
    return math.floor(value + Fraction(1, 2))


ROUND = {"truncate": math.floor, "nearest": round_away, "nearest_even": round_nearest}


def convert(group, *, m, e, B, rounding):
    """Code, signed magnitudes, whether the group saturated, and number of saturated elements, of a group of floats."""
    exact = [Fraction(float(x)) if abs(float(x)) >= 2.0**-126 else Fraction(0) for x in group]
    if not any(exact):
        return 0, [0] * len(exact), False, 0
    X = max(floor_log2(abs(x)) for x in exact if x)
    E = min(max(X - B, 0), 2**e - 1)
    rounded = [ROUND[rounding](abs(x) * power(m - 1 - E - B)) for x in exact]
    M = [min(magnitude, 2**m - 1) for magnitude in rounded]
    signed = [magnitude if x > 0 else -magnitude for x, magnitude in zip(exact, M, strict=True)]
    above = 2**e - 1 < X - B
    return E, signed, above, sum(magnitude > 2**m - 1 for magnitude in rounded)


def largest_exponent(x):
    """The exponent that has the largest code with the default bias, or None."""
    sizes = [abs(float(value)) for value in np.ravel(x)]
    return max((floor_log2(Fraction(size)) for size in sizes if size >= 2.0**-126), default=None)


def cut(signed, E, m, w):
    """Chunks of a group as (code, signed parts), computed by division, the most significant first."""
    for below in range(m - w, -1, -w):
        parts = [abs(M) // 2**below % 2**w * (1 if M > 0 else -1) for M in signed]
        yield E + below, parts


def dot_by_chunks(a, b, wa, wb):
    """The accumulator after all pairs of chunks of all groups."""
    acc = 0
    g = a.group
    for group in range(a.codes.shape[0]):
        lanes = slice(group * g, group * g + g)
        a_settings = cut(a.signed[lanes].tolist(), int(a.codes[group]), a.mantissa, wa)
        b_settings = cut(b.signed[lanes].tolist(), int(b.codes[group]), b.mantissa, wb)
        for (code_a, parts_a), (code_b, parts_b) in product(a_settings, list(b_settings)):
            acc += sum(x * y for x, y in zip(parts_a, parts_b, strict=True)) << (code_a + code_b)
    return acc


def to_fp32(value):
    """A fraction rounded once to FP32, and whether it overflowed or underflowed."""
    if not value:
        return 0.0, False, False
    unit = power(floor_log2(abs(value)) - 23)
    rounded = round_nearest(abs(value) / unit) * unit
    sign = 1 if value > 0 else -1
    if rounded >= power(128):
        return sign * math.inf, True, False
    if rounded < power(-126):
        return 0.0, False, True
    return sign * float(rounded), False, False
