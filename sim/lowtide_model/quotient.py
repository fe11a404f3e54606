"""Exactly rounded integer quotients of floats."""

import numpy as np

__all__ = ["SMALLEST_SCALE", "nearest_quotient"]

SMALLEST_SCALE = 2.0**-1022
"""The smallest normal float64. A smaller scale would have lost bits, and is not legal."""

LOW_BITS = 2**27 - 1


def nearest_quotient(x: np.ndarray, scale: np.ndarray | float, *, even: bool = True) -> np.ndarray:
    """``x / scale``, rounded once to the nearest integer.

    The float64 quotient is itself rounded, and may become a tie where the exact quotient is not. Correct rounding
    excludes any other error. So only for ties is the remainder evaluated, whose sign is exact.

    Parameters
    ----------
    x : array of float64
        Dividends, finite.
    scale : array of float64 or float
        Divisors, normal and positive; the shape must broadcast.
    even : bool
        Round ties to even if true, and away from zero if false.

    Returns
    -------
    array of float64
        Integers, exact up to a magnitude of ``2**25``.
    """
    fraction, exponent = np.frexp(np.asarray(scale, np.float64))
    with np.errstate(over="ignore", under="ignore"):
        magnitude = np.ldexp(np.abs(x), -exponent)  # values that become subnormal are far below one half
        quotient = magnitude / fraction
    rounded = np.rint(quotient)
    tie = np.abs(quotient - rounded) == 0.5
    if tie.any():
        # A tie is a short multiple of one half, so its products with both parts of the divisor are exact.
        high = (fraction.view(np.int64) & ~LOW_BITS).view(np.float64)
        remainder, low = magnitude - quotient * high, quotient * (fraction - high)
        below = np.floor(quotient)
        up = (remainder > low) | ((remainder == low) & (below % 2 == 1 if even else True))
        rounded = np.where(tie, below + up, rounded)
    return np.copysign(rounded, x)
