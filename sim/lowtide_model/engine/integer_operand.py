"""Operands of an engine of integers: settings, packing, and the check that they fit."""

from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS
from lowtide.formats.integers import PackedIntegers
from lowtide.formats.parameter import instance, parameter

__all__ = ["IntegerSettings", "checked_integers", "integer_settings", "packed_integers"]


@attrs.frozen(kw_only=True)
class IntegerSettings:
    """Settings of an operand of integers: an integer ``x`` has the value ``x * 2**bias``.

    Parameters
    ----------
    bias : int
        Exponent of the scale.

    Raises
    ------
    IllegalValue
        If the bias is not an integer or out of range.
    """

    bias: int = parameter(0, range(LEAST_BIAS, MOST_BIAS + 1), "exponent of the scale")

    @property
    def chunks(self) -> int:
        """Words of the buffer per ``lanes`` integers: 1."""
        return 1


def integer_settings(side: str, settings: Any) -> IntegerSettings:
    """Return the settings of operand ``side``, ``a`` or ``b``, of an engine of integers.

    Raises
    ------
    IllegalValue
        If the settings are the settings of a conversion to block floating point.
    """
    what = "of type IntegerSettings, or None, for an engine of integers"
    return IntegerSettings() if settings is None else instance(f"{side}_settings", settings, IntegerSettings, what)


def checked_integers(name: str, config: Config, x: Any) -> np.ndarray:
    """Return a matrix of integers that an engine takes.

    Raises
    ------
    ValueError
        If the operand is not a matrix of integers, or an integer exceeds ``terms.width`` bits.
    """
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.dtype.kind not in "iu":
        given = f"{x.dtype} of {x.ndim} dimensions" if isinstance(x, np.ndarray) else f"of type {type(x).__name__}"
        raise ValueError(f"{name} must be a matrix of integers, not {given}")
    width = config.terms.width
    least, most = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    beyond = np.argwhere((x < least) | (x > most))
    if beyond.size:
        at = tuple(int(i) for i in beyond[0])
        raise ValueError(f"{name} at {at} must be from {least} to {most} (terms.width = {width}), not {x[at]}")
    return x


def packed_integers(x: np.ndarray, width: int) -> np.ndarray:
    """Return the words of vectors of integers, shape (vectors, words), as bits of FP32 numbers.

    Parameters
    ----------
    x : array of int, shape (vectors, length)
        Vectors along the reduction; zeros pad each to whole words.
    width : int
        Bits of an integer.
    """
    packed = PackedIntegers(width=width)
    padded = np.pad(x.astype(np.int64), [(0, 0), (0, -x.shape[1] % packed.per_word)])
    fields = (padded & (1 << packed.bits) - 1).reshape(len(x), -1, packed.per_word)
    return (fields << packed.bits * np.arange(packed.per_word)).sum(axis=-1).astype(np.uint32).view(np.float32)
