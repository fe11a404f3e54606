"""Model of the requantizer: accumulators to integers of a few bits, the data of the next layer."""

from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import flag, legal_text, whole_number
from lowtide_model.arrays import integers
from lowtide_model.terms.product import reveal_data
from lowtide_model.terms.selection import LEGAL_COUNTS

__all__ = ["multiplier_of", "requantize", "requantize_data"]

LEGAL_WIDTHS = range(2, 17)
LEGAL_MULTIPLIERS = range(2**16)
LEGAL_SHIFTS = range(128)
INT64 = np.iinfo(np.int64)


def requantize(acc: Any, *, multiplier: int, shift: int, width: int, relu: bool = False) -> tuple[np.ndarray, int]:
    """``acc * multiplier / 2**shift``, rounded to nearest, ties to even, and saturated at ``+-(2**(width-1) - 1)``.

    Rounded once. Exact for all of int64: if a product could exceed int64, Python integers are used.

    Parameters
    ----------
    acc : array of int, any shape
        Accumulators.
    multiplier : int
        From 0 to ``2**16 - 1``.
    shift : int
        From 0 to 127.
    width : int
        Width of a result in bits, in two's complement, from 2 to 16.
    relu : bool
        Whether negative results become 0; these do not count as saturated.

    Returns
    -------
    array of int64 with the shape of ``acc``, int
        The results, and the number of saturated results.

    Raises
    ------
    ValueError
        If an accumulator is not an integer or exceeds int64, or another argument is out of range.
    """
    width = whole_number("width", width, LEGAL_WIDTHS)
    multiplier = whole_number("multiplier", multiplier, LEGAL_MULTIPLIERS)
    shift, relu = whole_number("shift", shift, LEGAL_SHIFTS), flag("relu", relu)
    acc = integers("accumulator", acc, INT64.min, INT64.max)
    largest = max(-int(acc.min(initial=0)), int(acc.max(initial=0)))
    fits = largest * multiplier <= INT64.max and shift < 63
    rounded = _shifted(acc.astype(np.int64 if fits else object) * multiplier, shift)
    if relu:
        rounded = np.maximum(rounded, 0)
    limit = 2 ** (width - 1) - 1
    saturated = np.clip(rounded, -limit, limit)
    return np.asarray(saturated, np.int64), int(np.count_nonzero(saturated != rounded))


def requantize_data(
    acc: Any,
    *,
    multiplier: int,
    shift: int,
    width: int,
    terms: int,
    encoding: str = "hese",
    relu: bool = False,
) -> tuple[np.ndarray, int]:
    """The data of the next layer: results of `requantize`, reduced to their largest terms by `reveal_data`."""
    terms = whole_number("terms", terms, LEGAL_COUNTS)
    results, saturated = requantize(acc, multiplier=multiplier, shift=shift, width=width, relu=relu)
    return reveal_data(results, width=width, terms=terms, encoding=encoding), saturated


def multiplier_of(scale: Any, bits: int = 16) -> tuple[int, int]:
    """The ``multiplier / 2**shift`` nearest to a scale, with a normalized multiplier of ``bits`` bits.

    The error is at most ``scale * 2**-bits``. So a result differs from ``acc * scale`` by at most ``2**-bits`` of its
    value, plus half a unit of rounding. With 16 bits, the error of an 8-bit result is at most 0.502.

    Parameters
    ----------
    scale : float, or any real number of Python or NumPy
        Positive, converted exactly. For a product of integers with the scales ``p`` and ``q`` and results with the
        scale ``r``, the scale is ``p q / r``.
    bits : int
        Width of the multiplier in bits, from 1 to 16.

    Returns
    -------
    int, int
        Multiplier, at least ``2**(bits-1)``, and shift.

    Raises
    ------
    ValueError
        If the scale is not finite and positive, or needs a shift outside 0 to 127.
    """
    bits = whole_number("bits", bits, range(1, 17))
    exact = _positive("scale", scale)
    exponent = exact.numerator.bit_length() - exact.denominator.bit_length()
    exponent += exact >= Fraction(2) ** exponent  # now 2**(exponent - 1) <= exact < 2**exponent
    shift = bits - exponent
    multiplier = round(exact * Fraction(2) ** shift)  # the only rounding
    if multiplier == 1 << bits:
        multiplier, shift = multiplier >> 1, shift - 1
    if shift not in LEGAL_SHIFTS:
        raise IllegalValue("scale", f"one whose shift is {legal_text(LEGAL_SHIFTS)}", scale)
    return multiplier, shift


def _positive(name: str, value: Any) -> Fraction:
    """The exact value of a positive number of any type."""
    legal = "finite and positive"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise IllegalValue(name, legal, value)
    number: Any = int(value) if isinstance(value, Integral) else value
    try:
        exact = Fraction(*number.as_integer_ratio())
    except (OverflowError, ValueError):  # infinite, or NaN
        raise IllegalValue(name, legal, value) from None
    if exact <= 0:
        raise IllegalValue(name, legal, value)
    return exact


def _shifted(product: np.ndarray, shift: int) -> np.ndarray:
    """The product divided by ``2**shift``, rounded, in the type of the product."""
    if not shift:
        return product
    floor = product >> shift
    half = 1 << (shift - 1)
    rest = product - (floor << shift)
    return floor + ((rest > half) | ((rest == half) & (floor % 2 == 1))).astype(product.dtype)
