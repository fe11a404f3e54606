"""Quotients of floats as integers, rounded once."""

import numpy as np

__all__ = ["SMALLEST_SCALE", "nearest_quotient"]

SMALLEST_SCALE = 2.0**-1022
"""The smallest normal float64. A smaller scale has lost bits, and is no scale."""

LOW_BITS = 2**27 - 1


def nearest_quotient(x: np.ndarray, scale: np.ndarray | float, *, even: bool = True) -> np.ndarray:
    """``x / scale`` to nearest: the exact quotient is rounded once.

    A quotient in float64 is itself rounded, and may become a tie that the exact one is not. Being rounded correctly, it
    becomes no other wrong number: only on ties is the remainder looked at, whose sign is found exactly.

    Parameters
    ----------
    x : array of float64
        Dividends, finite.
    scale : array of float64 or float
        Divisors, normal and positive, of a shape that broadcasts.
    even : bool
        Whether ties go to even; they go away from zero otherwise.

    Returns
    -------
    array of float64
        Integers; up to ``2**25`` in magnitude they are exact.
    """
    fraction, exponent = np.frexp(np.asarray(scale, np.float64))
    with np.errstate(over="ignore", under="ignore"):
        magnitude = np.ldexp(np.abs(x), -exponent)  # what becomes subnormal here is far below one half
        quotient = magnitude / fraction
    rounded = np.rint(quotient)
    tie = np.abs(quotient - rounded) == 0.5
    if tie.any():
        # With ``quotient`` a multiple of one half of few bits, its products with either part of the divisor are exact.
        high = (fraction.view(np.int64) & ~LOW_BITS).view(np.float64)
        remainder, low = magnitude - quotient * high, quotient * (fraction - high)
        below = np.floor(quotient)
        up = (remainder > low) | ((remainder == low) & (below % 2 == 1 if even else True))
        rounded = np.where(tie, below + up, rounded)
    return np.copysign(rounded, x)
