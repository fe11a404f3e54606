"""Model of the rounder: rounds fixed-point magnitudes to integers, with or without random words."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import choice, whole_number
from lowtide.units.rounding.params import MODES
from lowtide_model.arrays import integers

__all__ = ["round_magnitude", "rounds_up"]

# Within these ranges, the sum of a fraction and a random word fits into int64.
LEGAL_WIDTHS = range(1, 63)
LEGAL_FRACTIONS = range(61)
INT64 = np.iinfo(np.int64)


def round_magnitude(
    value: Any, *, mode: str, width: int, fraction: int, random: Any = 0, random_bits: int = 0
) -> np.ndarray:
    """Round fixed-point magnitudes to integers, saturated at ``2**width - 1``.

    Parameters
    ----------
    value : array of int
        Magnitudes, in units of ``2**-fraction``.
    mode : str
        ``truncate``, ``nearest``, ``nearest_even``, ``carry`` or ``half_step``: see `rounds_up`.
    width : int
        Width of the result in bits.
    fraction : int
        Width of the fraction in bits, ``D``.
    random : array of int, optional
        Random words; the shape must broadcast with ``value``.
    random_bits : int
        Width of a random word in bits, ``r``.

    Returns
    -------
    array of int64
        Rounded integers.
    """
    width = whole_number("width", width, LEGAL_WIDTHS)
    up = rounds_up(value, mode=mode, fraction=fraction, random=random, random_bits=random_bits)
    return np.minimum((np.asarray(value, np.int64) >> int(fraction)) + up, 2**width - 1)


def rounds_up(value: Any, *, mode: str, fraction: int, random: Any = 0, random_bits: int = 0) -> np.ndarray:
    """Whether each magnitude is rounded up, by its fraction ``t`` of D bits and its random word ``R`` of r bits.

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
        If the mode is unknown, or a random word exceeds ``random_bits`` bits.
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
