"""Conversion of exact accumulators to FP32, rounded once."""

from numbers import Integral
from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, Unquoted, instance, whole_number
from lowtide_model.arrays import array_of
from lowtide_model.bfp_tensor import BfpTensor

__all__ = ["Fp32", "scaled_to_fp32", "to_fp32"]

SMALLEST_NORMAL = 2.0**-126
FIRST_OVERFLOW = 2.0**128

# Legal scales of accumulators: far more than biases and mantissas can give.
LEGAL_SCALES = range(-(2**20), 2**20 + 1)

# Scales that are normal FP32 numbers, with which no integer underflows.
NORMAL_SCALES = range(-126, 128)

# Leading bits of a Python integer that are kept before rounding: they fit into int64, with a sticky bit.
KEPT = 62


@attrs.frozen(kw_only=True, eq=False)
class Fp32:
    """Results in FP32, with counts of overflows and underflows.

    Parameters
    ----------
    values : array of float32
        The results.
    overflows : int
        Results that became infinite.
    underflows : int
        Results that became zero although the accumulator was not zero.
    """

    values: np.ndarray
    overflows: int
    underflows: int


def to_fp32(acc: Any, a: BfpTensor, b: BfpTensor) -> Fp32:
    """Convert the accumulators of a product to FP32.

    ``value = acc * 2**(Ba - (ma - 1) + Bb - (mb - 1))``, rounded once to 24 significant bits: to nearest, ties to
    even. A result that then reaches ``2**128`` becomes infinity, with its sign. A result below the smallest normal
    number, ``2**-126``, becomes +0. Both cases are counted.

    Parameters
    ----------
    acc : array of int64 or of Python integers (object), or int
        Accumulators from `matmul` or `dot`.
    a, b : BfpTensor
        Operands of the product, for their biases and mantissas.

    Returns
    -------
    Fp32
        Values in the shape of ``acc``.

    Raises
    ------
    ValueError
        If ``acc`` contains anything but integers.
    """
    a, b = instance("a", a, BfpTensor), instance("b", b, BfpTensor)
    return scaled_to_fp32(acc, a.bias - (a.mantissa - 1) + b.bias - (b.mantissa - 1))


def scaled_to_fp32(acc: Any, scale: int) -> Fp32:
    """Convert ``acc * 2**scale`` to FP32, rounded as by `to_fp32`.

    Raises
    ------
    ValueError
        If ``acc`` contains anything but integers, or the scale is not an integer from ``-2**20`` to ``2**20``.
    """
    scale = whole_number("scale", scale, LEGAL_SCALES)
    significands, shifts = _significands(array_of("acc", acc))
    if scale in NORMAL_SCALES and not shifts.any():
        # The product of a rounded integer and a normal power of two is exact, or overflows.
        with np.errstate(over="ignore"):
            values = np.asarray(significands.astype(np.float32) * np.float32(2.0**scale))
        return Fp32(values=values, overflows=int(np.count_nonzero(np.isinf(values))), underflows=0)
    # The only rounding. The following steps change exponents in float64, which represents every FP32 result exactly.
    rounded = significands.astype(np.float32).astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        values = np.ldexp(rounded, np.clip(shifts + scale, -4096, 4096).astype(np.int32))
    overflow = np.abs(values) >= FIRST_OVERFLOW
    underflow = (np.abs(values) < SMALLEST_NORMAL) & (significands != 0)
    values = np.where(overflow, np.copysign(np.inf, values), np.where(underflow, 0.0, values))
    return Fp32(
        values=values.astype(np.float32),
        overflows=int(np.count_nonzero(overflow)),
        underflows=int(np.count_nonzero(underflow)),
    )


def _significands(acc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integers as ``int64 * 2**shift``, which round to the same 24 bits as the integers."""
    if acc.dtype.kind in "iu" and acc.dtype != np.uint64:
        return acc.astype(np.int64, copy=False), np.zeros((), np.int64)
    if acc.dtype not in (np.uint64, object):
        raise IllegalValue("acc", "integers", Unquoted(acc.dtype))
    significands, shifts = np.frompyfunc(_significand, 1, 2)(acc.astype(object))
    return np.asarray(significands, np.int64), np.asarray(shifts, np.int64)


def _significand(acc: Any) -> tuple[int, int]:
    """The leading bits of an integer; the last one is sticky: set if any discarded bit is set."""
    if not isinstance(acc, Integral) or isinstance(acc, bool):
        raise IllegalValue("acc", "integers", acc)
    value = int(acc)
    magnitude = abs(value)
    shift = max(0, magnitude.bit_length() - KEPT)
    kept = magnitude >> shift
    kept |= kept << shift != magnitude
    return (-kept if value < 0 else kept), shift
