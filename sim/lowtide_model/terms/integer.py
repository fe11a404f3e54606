"""Uniform quantization: floats to symmetric integers, with one scale per tensor or per channel."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.arrays import axis_of, floats
from lowtide_model.quotient import SMALLEST_SCALE, nearest_quotient

__all__ = ["IntegerTensor", "quantize_integers"]


@attrs.frozen(kw_only=True, eq=False)
class IntegerTensor:
    """Values ``integers * scale``.

    Parameters
    ----------
    integers : array of int64
        In ``[-(2**(width-1) - 1), 2**(width-1) - 1]``.
    scale : array of float64
        One scale, or one per channel; the shape broadcasts.
    width : int
        Width of an integer in bits, in two's complement.
    """

    integers: np.ndarray
    scale: np.ndarray
    width: int

    def to_float(self) -> np.ndarray:
        """Values in float64: exact, if the scales are powers of two."""
        return self.integers * np.asarray(self.scale, np.float64)


def quantize_integers(x: Any, width: int, channel: int | None = None) -> IntegerTensor:
    """Round ``x / scale`` once, to nearest, ties to even, with ``scale = max|x| / (2**(width-1) - 1)`` in float64.

    Parameters
    ----------
    x : array of floats or integers
        Tensor to quantize, of any type that `lowtide_model.quantize` accepts. A tensor or channel of zeros gets scale
        1. So does one whose scale would be below ``2**-1022``, the smallest normal float64: its elements count as zero.
    width : int
        Width of an integer in bits, from 2 to 16.
    channel : int, optional
        Axis of the channels, each with its own scale; by default, all share one scale.

    Raises
    ------
    ValueError
        If an argument is not legal, or an element is NaN or infinite; the message gives its index.
    """
    width = whole_number("width", width, range(2, 17))
    x = floats("x", x).astype(np.float64, copy=False)
    nonfinite = np.argwhere(~np.isfinite(x))
    if nonfinite.size:
        index = tuple(int(i) for i in nonfinite[0])
        raise ValueError(f"x at {index} must be finite, not {x[index]}")
    if channel is not None:
        channel = axis_of("channel", channel, x.ndim)
    others = None if channel is None else tuple(i for i in range(x.ndim) if i != channel)
    top = np.max(np.abs(x), axis=others, keepdims=True, initial=0)
    largest = 2 ** (width - 1) - 1
    scale = top / largest
    zero = scale < SMALLEST_SCALE
    scale = np.where(zero, 1.0, scale)
    integers = nearest_quotient(np.where(zero, 0.0, x), scale).astype(np.int64)
    return IntegerTensor(integers=integers, scale=scale, width=width)
