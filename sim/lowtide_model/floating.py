"""Floating-point multiply-accumulate, rounded once or twice, without special values."""

from typing import Any

import numpy as np

from lowtide.units.floating.format import FloatFormat

__all__ = ["block_float_mac", "float_mac", "float_values", "rounded_words"]


def float_mac(a: Any, b: Any, c: Any, operand: FloatFormat, form: FloatFormat) -> np.ndarray:
    """``round(c + a * b)``, as `FloatMac` gives it.

    Parameters
    ----------
    a, b : array of int
        Factors, as words of ``operand``.
    c : array of int
        Words of ``form``.
    operand, form : FloatFormat
        Formats of the factors and of the sum.

    Returns
    -------
    array of int64
        Words of ``form``.
    """
    product = float_values(a, operand) * float_values(b, operand)  # of at most 48 bits, so exact
    if 2 * (operand.fraction + 1) > form.fraction + 1:
        product = _nearest(product, form.fraction + 1)
    return rounded_words(float_values(c, form), product, form)


def block_float_mac(a: Any, b: Any, exponents: Any, c: Any, magnitude: int, form: FloatFormat) -> np.ndarray:
    """``round(c + dot)``, as `BlockFloatMac` gives it.

    Parameters
    ----------
    a, b : array of int, (..., lanes)
        Signed elements of the groups.
    exponents : array of int, (...)
        Sum of the exponent fields of both.
    c : array of int, (...)
        Words of ``form``.
    magnitude : int
        Bits of an element's magnitude.
    form : FloatFormat
        Format of the sum.

    Returns
    -------
    array of int64, (...)
        Words of ``form``.
    """
    dots = (np.asarray(a, dtype=np.int64) * np.asarray(b, dtype=np.int64)).sum(axis=-1)
    product = np.ldexp(dots.astype(float), np.asarray(exponents) - 2 * 127 - 2 * (magnitude - 1))
    return rounded_words(float_values(c, form), product, form)


def float_values(words: Any, form: FloatFormat) -> np.ndarray:
    """Values of words, exactly."""
    words = np.asarray(words, dtype=np.int64)
    exponent = (words >> form.fraction) & (2**form.exponent - 1)
    significand = 2**form.fraction + (words & (2**form.fraction - 1))
    magnitude = np.ldexp(significand.astype(float), exponent - form.bias - form.fraction)
    return np.where(exponent == 0, 0.0, np.where(words >> (form.width - 1) & 1, -magnitude, magnitude))


def rounded_words(x: np.ndarray, y: np.ndarray, form: FloatFormat) -> np.ndarray:
    """Words of ``x + y``, rounded once to nearest, ties to even.

    Parameters
    ----------
    x, y : array of float64
        Values of at most 48 bits between ``2**-900`` and ``2**900``, or zero.
    form : FloatFormat
        Format of the result. What is then below its smallest normal number is +0, and what is above the largest is
        that, of its sign.
    """
    total = _rounded_to_odd(x, y)
    magnitude = _nearest(np.abs(total), form.fraction + 1)
    scaled, exponent = np.frexp(magnitude)
    field = exponent - 1 + form.bias
    fraction = np.ldexp(scaled, form.fraction + 1).astype(np.int64) - 2**form.fraction
    largest = 2 ** (form.width - 1) - 1
    words = np.where(field > 2**form.exponent - 1, largest, (field.astype(np.int64) << form.fraction) + fraction)
    words += np.where(total < 0, largest + 1, 0)
    return np.where(magnitude < 2.0 ** (1 - form.bias), 0, words)


def _nearest(values: np.ndarray, bits: int) -> np.ndarray:
    """Values rounded to so many bits."""
    scaled, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(scaled, bits)), exponent - bits)


def _rounded_to_odd(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The sum where it is exact, else the neighbor whose last bit is one: whoever rounds it again rounds the sum."""
    total = x + y
    part = total - x
    error = (x - (total - part)) + (y - part)  # Knuth's two-sum: exact
    even = total.view(np.int64) & 1 == 0
    return np.where((error != 0) & even, np.nextafter(total, np.where(error > 0, np.inf, -np.inf)), total)
