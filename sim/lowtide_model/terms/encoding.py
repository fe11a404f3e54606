"""Encodings of magnitudes as digits in {-1, 0, +1}."""

from typing import Any

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import choice, whole_number
from lowtide.formats.terms import ENCODINGS, digits_of_integer
from lowtide_model.arrays import few_bits, integers

__all__ = ["digits_array", "digits_of", "encode", "value_of"]

LEGAL_WIDTHS = range(1, 17)
MOST_DIGITS = 63


def encode(n: Any, width: int, encoding: str = "hese") -> np.ndarray:
    """Digits of unsigned magnitudes.

    ========== ==========================================================================================
    ``binary`` the bits
    ``booth``  radix 4: digit ``d_j = b[2j-1] + b[2j] - 2 b[2j+1]`` weighs ``4**j``, and is one term or none
    ``hese``   from the least significant bit, by two bits and a mode: no two neighbors, the fewest terms
    ========== ==========================================================================================

    Parameters
    ----------
    n : array of int, any shape
        Magnitudes in ``[0, 2**width)``.
    width : int
        Width of a magnitude in bits.
    encoding : str
        One of the encodings above.

    Returns
    -------
    array of int8, shape ``n.shape + (width + 1,)``
        Digit ``i`` weighs ``2**i``.

    Raises
    ------
    ValueError
        If the encoding or the width is not legal, or a magnitude is not an integer or out of range; the message gives
        its index.
    """
    encoding = choice("encoding", encoding, ENCODINGS)
    width = whole_number("width", width, LEGAL_WIDTHS)
    magnitudes = integers("magnitude", n, 0, 2**width - 1)
    digits = np.zeros((*magnitudes.shape, width + 1), np.int8)
    _ENCODERS[encoding](magnitudes, digits)
    return digits


def digits_of(values: Any, width: int, encoding: str = "hese") -> np.ndarray:
    """Digits of signed integers: the magnitude's digits times the sign.

    Parameters
    ----------
    values : array of int, any shape
        Integers of ``width`` bits in two's complement, including the most negative one.
    width : int
        Width of an integer in bits.
    encoding : str
        See `encode`.

    Returns
    -------
    array of int8, shape ``values.shape + (digits,)``
        ``digits`` is ``width``; for ``booth`` and an even width, ``width + 1``.

    Raises
    ------
    ValueError
        If an argument is not legal: see `encode`.
    """
    encoding = choice("encoding", encoding, ENCODINGS)
    width = whole_number("width", width, range(2, 17))
    values = integers("value", values, -(2 ** (width - 1)), 2 ** (width - 1) - 1)
    digits = encode(np.abs(values), width, encoding)[..., : digits_of_integer(width, encoding)]
    return digits * np.sign(values).astype(np.int8)[..., np.newaxis]


def value_of(digits: np.ndarray) -> np.ndarray:
    """Value of digits, as int64: ``sum_i digits[..., i] * 2**i``."""
    digits = digits_array(digits)
    return digits @ (np.int64(1) << np.arange(digits.shape[-1]))


def digits_array(digits: Any, dimensions: int = 1) -> np.ndarray:
    """Digits as int8, along the last axis, after a check of their range and dimensions."""
    digits = few_bits("digits", digits, -1, 1).astype(np.int8, copy=False)
    if digits.ndim < dimensions or digits.shape[-1] > MOST_DIGITS:
        legal = f"an array of {dimensions} dimensions or more, of {MOST_DIGITS} digits at most"
        raise IllegalValue("digits", legal, digits.shape)
    return digits


def _binary(n: np.ndarray, digits: np.ndarray) -> None:
    for i in range(digits.shape[-1]):
        digits[..., i] = n >> i & 1


def _booth(n: np.ndarray, digits: np.ndarray) -> None:
    for low in range(0, digits.shape[-1], 2):
        below = n >> (low - 1) & 1 if low else 0
        digit = below + (n >> low & 1) - 2 * (n >> (low + 1) & 1)
        digits[..., low] = np.where(np.abs(digit) == 1, digit, 0)
        if low + 1 < digits.shape[-1]:
            digits[..., low + 1] = digit // 2 * (digit % 2 == 0)


def _hese(n: np.ndarray, digits: np.ndarray) -> None:
    mode = np.zeros(n.shape, bool)
    for i in range(digits.shape[-1]):
        bit, following = (n >> i & 1).astype(bool), (n >> (i + 1) & 1).astype(bool)
        nonzero = bit ^ mode
        digits[..., i] = np.where(nonzero, np.where(following, -1, 1), 0)
        mode = np.where(nonzero, following, mode)


_ENCODERS = {"binary": _binary, "booth": _booth, "hese": _hese}
