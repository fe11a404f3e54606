"""The rounder: magnitudes to integers, by a random word or without."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import choice, whole_number
from lowtide.units.rounding.params import MODES
from lowtide_model.arrays import integers

__all__ = ["round_magnitude", "rounds_up"]

# With these, no sum of a fraction and a word exceeds int64.
LEGAL_WIDTHS = range(1, 63)
LEGAL_FRACTIONS = range(61)
INT64 = np.iinfo(np.int64)


def round_magnitude(
    value: Any, *, mode: str, width: int, fraction: int, random: Any = 0, random_bits: int = 0
) -> np.ndarray:
    """Round magnitudes with a binary point to integers, and hold them at ``2**width - 1``.

    Parameters
    ----------
    value : array of int
        Magnitudes, in units of ``2**-fraction``.
    mode : str
        ``truncate``, ``nearest``, ``nearest_even``, ``carry`` or ``half_step``: see `rounds_up`.
    width : int
        Bits of the result.
    fraction : int
        Bits of the fraction, ``D``.
    random : array of int, optional
        Random words, of a shape that broadcasts.
    random_bits : int
        Bits of a word, ``r``.

    Returns
    -------
    array of int64
        The integers.
    """
    width = whole_number("width", width, LEGAL_WIDTHS)
    up = rounds_up(value, mode=mode, fraction=fraction, random=random, random_bits=random_bits)
    return np.minimum((np.asarray(value, np.int64) >> int(fraction)) + up, 2**width - 1)


def rounds_up(value: Any, *, mode: str, fraction: int, random: Any = 0, random_bits: int = 0) -> np.ndarray:
    """Whether magnitudes are rounded up: the definition, with fractions ``t`` of D bits and words ``R`` of r bits.

    ================ =======================================================
    ``truncate``     never
    ``nearest``      ``2 t >= 2**D``
    ``nearest_even`` ``2 t > 2**D``, or ``2 t = 2**D`` and the integer is odd
    ``carry``        ``floor(t 2**r / 2**D) + R >= 2**r``
    ``half_step``    ``floor(t 2**(r+1) / 2**D) + 2 R + 1 >= 2**(r+1)``
    ================ =======================================================

    Raises
    ------
    ValueError
        If there is no such mode, or a word has more than ``random_bits`` bits.
    """
    mode = choice("mode", mode, MODES)
    fraction = whole_number("fraction", fraction, LEGAL_FRACTIONS)
    random_bits = whole_number("random_bits", random_bits, range(62 - fraction))
    value = integers("value", value, 0, 2**62)
    random = integers("random", random, INT64.min, INT64.max)
    integer, t = value >> fraction, value & (1 << fraction) - 1
    r, one = random_bits, 1 << fraction
    if mode == "truncate":
        return np.zeros(value.shape, bool)
    if mode == "nearest":
        return 2 * t >= one
    if mode == "nearest_even":
        return (2 * t > one) | ((2 * t == one) & (integer % 2 == 1))
    if np.any((random < 0) | (random >> r != 0)):
        raise ValueError(f"random must be from 0 to {2**r - 1}, {r} bits, not up to {random.max()}")
    if mode == "carry":
        return (t << r) // one + random >= 1 << r
    return (t << r + 1) // one + 2 * random + 1 >= 1 << r + 1
