"""Sums of FP32 numbers, as the hardware's FP32 adder computes them."""

from typing import Any

import numpy as np

from lowtide.formats.fp32 import NAN
from lowtide.formats.parameter import IllegalValue, Unquoted, flag
from lowtide_model.arrays import array_of

__all__ = ["add_fp32"]

SMALLEST_NORMAL = np.float32(2.0**-126)


def add_fp32(x: Any, y: Any, *, relu: bool = False) -> np.ndarray:
    """Return ``x + y``, rounded once to nearest, ties to even; with ``relu``, ``max(x + y, 0)``.

    Subnormal addends count as zeros. A sum below ``2**-126`` becomes zero, and every zero is +0. A rounded sum of
    ``2**128`` or more becomes an infinity of its sign. Opposite infinities, and any NaN, give the NaN of the bits
    `NAN`, which ``relu`` passes.

    Parameters
    ----------
    x, y : array of float32
        Addends, whose shapes broadcast.
    relu : bool
        Whether a sum below zero becomes +0.

    Raises
    ------
    ValueError
        If an addend is not float32, or the shapes do not broadcast.
    """
    x, y = (_flushed(_float32(name, value)) for name, value in (("x", x), ("y", y)))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.asarray(_flushed(x + y))
    if flag("relu", relu):
        total = np.where(total < 0, np.float32(0), total)
    return np.where(np.isnan(total), np.uint32(NAN).view(np.float32), total)


def _float32(name: str, values: Any) -> np.ndarray:
    found = array_of(name, values)
    if found.dtype != np.float32:
        raise IllegalValue(name, "an array of float32", Unquoted(found.dtype))
    return found


def _flushed(values: np.ndarray) -> np.ndarray:
    """The numbers, with +0 in place of subnormal numbers and of -0."""
    return np.where(np.abs(values) < SMALLEST_NORMAL, np.float32(0), values)
