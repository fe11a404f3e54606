"""Matrices and precisions as users give them."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import whole_number

__all__ = ["chunks_of", "matrix"]


def matrix(name: str, x: np.ndarray) -> np.ndarray:
    """A matrix in FP32.

    Raises
    ------
    ValueError
        If it is none, or has numbers that are not finite.
    """
    found = np.asarray(x)
    if found.ndim != 2 or found.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be a matrix of numbers, not {found.dtype} of {found.ndim} dimensions")
    with np.errstate(over="ignore"):
        found = found.astype(np.float32, copy=False)
    bad = np.count_nonzero(~np.isfinite(found))
    if bad:
        raise ValueError(f"{name} must have finite numbers, and {bad} of {found.size} are not, in float32")
    return found


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
