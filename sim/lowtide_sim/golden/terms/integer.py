"""Plain quantisation: floats as symmetric integers with one scale a tensor or a channel."""

from typing import Any

import attrs
import numpy as np

from lowtide_sim.golden.terms.encoding import check_width

__all__ = ["IntegerTensor", "quantise_integers"]


@attrs.frozen(kw_only=True, eq=False)
class IntegerTensor:
    """Values ``integers * scale``.

    Parameters
    ----------
    integers : array of int64
        In ``[-(2**(width-1) - 1), 2**(width-1) - 1]``.
    scale : array of float64
        One, or one a channel, of a shape that broadcasts.
    width : int
        Bits of an integer in two's complement.
    """

    integers: np.ndarray
    scale: np.ndarray
    width: int


def quantise_integers(x: Any, width: int, channel: int | None = None) -> IntegerTensor:
    """Round to ``x / scale`` to nearest, ties to even, with ``scale = max|x| / (2**(width-1) - 1)``.

    Parameters
    ----------
    x : array of float
        What to quantise. A tensor or channel of zeros has scale 1.
    width : int
        Bits of an integer, from 2 to 16.
    channel : int, optional
        Axis of the channels, each with a scale of its own; one scale for all by default.

    Raises
    ------
    ValueError
        If an element is NaN or infinite; the message gives its index.
    """
    check_width("width", width, range(2, 17))
    x = np.asarray(x, np.float64)
    bad = np.argwhere(~np.isfinite(x))
    if bad.size:
        index = tuple(int(i) for i in bad[0])
        raise ValueError(f"element at {index} must be finite, not {x[index]}")
    others = None if channel is None else tuple(i for i in range(x.ndim) if i != channel % x.ndim)
    top = np.max(np.abs(x), axis=others, keepdims=True, initial=0)
    largest = 2 ** (width - 1) - 1
    scale = np.where(top > 0, top / largest, 1.0)
    integers = np.clip(np.rint(x / scale), -largest, largest).astype(np.int64)
    return IntegerTensor(integers=integers, scale=scale, width=width)
