"""Models of the floating-point multiply-accumulate units, without special values."""

from typing import Any

import numpy as np

from lowtide.units.floating.format import FloatFormat

__all__ = ["block_float_mac", "float_mac", "float_values", "rounded_words"]


def float_mac(a: Any, b: Any, c: Any, operand: FloatFormat, form: FloatFormat) -> np.ndarray:
    """``round(c + a * b)``: the model of `FloatMac`. The product is rounded too if it is wider than the sum.

    Parameters
    ----------
    a, b : array of int
        Factors, as words of ``operand``.
    c : array of int
        Addends, as words of ``form``.
    operand, form : FloatFormat
        Formats of the factors and of the sum.

    Returns
    -------
    array of int64
        Sums, as words of ``form``.
    """
    product = float_values(a, operand) * float_values(b, operand)  # exact: at most 48 bits
    if 2 * (operand.fraction + 1) > form.fraction + 1:
        product = _nearest(product, form.fraction + 1)
    return rounded_words(float_values(c, form), product, form)


def block_float_mac(a: Any, b: Any, exponents: Any, c: Any, magnitude: int, form: FloatFormat) -> np.ndarray:
    """``round(c + dot)``: the model of `BlockFloatMac`.

    Parameters
    ----------
    a, b : array of int, (..., lanes)
        Signed elements of the groups.
    exponents : array of int, (...)
        Sums of the exponent fields of both groups.
    c : array of int, (...)
        Addends, as words of ``form``.
    magnitude : int
        Width of an element's magnitude in bits.
    form : FloatFormat
        Format of the sum.

    Returns
    -------
    array of int64, (...)
        Sums, as words of ``form``.
    """
    dots = (np.asarray(a, dtype=np.int64) * np.asarray(b, dtype=np.int64)).sum(axis=-1)
    product = np.ldexp(dots.astype(float), np.asarray(exponents) - 2 * 127 - 2 * (magnitude - 1))
    return rounded_words(float_values(c, form), product, form)


def float_values(words: Any, form: FloatFormat) -> np.ndarray:
    """Exact values of words of a format."""
    words = np.asarray(words, dtype=np.int64)
    exponent = (words >> form.fraction) & (2**form.exponent - 1)
    significand = 2**form.fraction + (words & (2**form.fraction - 1))
    magnitude = np.ldexp(significand.astype(float), exponent - form.bias - form.fraction)
    return np.where(exponent == 0, 0.0, np.where(words >> (form.width - 1) & 1, -magnitude, magnitude))


def rounded_words(x: np.ndarray, y: np.ndarray, form: FloatFormat) -> np.ndarray:
    """``x + y`` as words of a format, rounded once to nearest, ties to even.

    Parameters
    ----------
    x, y : array of float64
        Values of at most 48 bits between ``2**-900`` and ``2**900``, or zero.
    form : FloatFormat
        Format of the result. A rounded sum below the smallest normal number becomes +0. A sum above the largest number
        saturates, with its sign.
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
    """Values rounded to ``bits`` significant bits."""
    scaled, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(scaled, bits)), exponent - bits)


def _rounded_to_odd(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``x + y``, rounded to odd if inexact, so that rounding it again rounds the exact sum."""
    total = x + y
    part = total - x
    error = (x - (total - part)) + (y - part)  # Knuth's two-sum: exact
    even = total.view(np.int64) & 1 == 0
    return np.where((error != 0) & even, np.nextafter(total, np.where(error > 0, np.inf, -np.inf)), total)
