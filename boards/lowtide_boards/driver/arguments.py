"""Matrices and precisions as users give them."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide_model.arrays import array_of

__all__ = ["chunks_of", "matrix", "precisions"]


def matrix(name: str, x: np.ndarray) -> np.ndarray:
    """A matrix in FP32.

    Raises
    ------
    ValueError
        If it is none, or has numbers that are not finite.
    """
    found = array_of(name, x)
    numbers = found.dtype.kind in "fiub" or (found.dtype.kind == "V" and np.can_cast(found.dtype, np.float32))
    if found.ndim != 2 or not numbers:
        raise ValueError(f"{name} must be a matrix of numbers, not {found.dtype} of {found.ndim} dimensions")
    with np.errstate(over="ignore", invalid="ignore"):
        found = found.astype(np.float32, copy=False)
    bad = np.count_nonzero(~np.isfinite(found))
    if bad:
        raise ValueError(f"{name} must have finite numbers, and {bad} of {found.size} are not, in float32")
    return found


def precisions(precision: Any) -> tuple[Any, Any]:
    """Bits of a magnitude of A and of B: one number, or None, stands for both.

    Raises
    ------
    IllegalValue
        If they are a tuple, and not of two.
    """
    if not isinstance(precision, tuple):
        return precision, precision
    if len(precision) != 2:
        raise IllegalValue("precision", "a number of bits, or two of them", precision)
    return precision[0], precision[1]


def chunks_of(bits: Any, mantissa: int, chunk: int) -> int:
    """Chunks of a precision in bits; all that there are, without one.

    Raises
    ------
    IllegalValue
        If an engine of such chunks does not have it.
    """
    legal = range(chunk, mantissa + 1, chunk)
    if bits is None:
        return len(legal)
    return whole_number("precision", bits, tuple(legal)) // chunk
