"""FAST's relative improvement: how much a second chunk adds to a tensor's first, to choose its precision."""

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.bfp_tensor import COUNT, LEGAL
from lowtide_model.converter import quantize
from lowtide_model.grouping import blocks

__all__ = ["LEGAL_THRESHOLDS", "Improvement", "improvement_of"]

LEGAL_THRESHOLDS = range(1024)
"""Legal thresholds in units of 1/256: the range of the controller's register."""

LEGAL_CHUNKS = range(1, LEGAL["mantissa"][-1] // 2 + 1)
"""Legal widths of a chunk: a magnitude has two chunks."""


@attrs.frozen
class Improvement:
    """Sums over a tensor's elements, in units of the second chunk at code 0.

    Parameters
    ----------
    low_sum : int
        Sum of the second chunks.
    high_sum : int
        Sum of the first chunks.
    """

    low_sum: int = attrs.field(converter=COUNT)
    high_sum: int = attrs.field(converter=COUNT)

    @property
    def value(self) -> float:
        """``low_sum / high_sum``; 0 for a tensor of zeros."""
        return float(Fraction(self.low_sum, self.high_sum)) if self.high_sum else 0.0

    def exceeds(self, threshold: int) -> bool:
        """Whether the improvement exceeds ``threshold / 256``: then a second chunk is worth its cycles.

        Raises
        ------
        IllegalValue
            If the threshold is out of the range of the controller's register.
        """
        threshold = whole_number("threshold", threshold, LEGAL_THRESHOLDS)
        return 256 * self.low_sum > threshold * self.high_sum


def improvement_of(x: Any, *, chunk: int, exponent: int, group: int, axis: int, bias: int | None = None) -> Improvement:
    """Relative improvement of a tensor, from truncated magnitudes of two chunks, whatever the product's rounding.

    Parameters
    ----------
    x : array of floats
        The tensor. NaN counts as zero, and infinity as the largest magnitude, as in hardware.
    chunk : int
        Width of a chunk in bits.
    exponent, group, axis, bias
        See `quantize`.
    """
    chunk = whole_number("chunk", chunk, LEGAL_CHUNKS)
    tensor = quantize(
        x,
        mantissa=2 * chunk,
        exponent=exponent,
        group=group,
        axis=axis,
        bias=bias,
        rounding="truncate",
        nonfinite="saturate",
    )
    groups, codes = tensor.signed.reshape(-1, tensor.group, 1), tensor.codes.reshape(-1)
    low_sum = whole_sum = 0
    for block in blocks(groups):
        magnitudes = np.abs(groups[block, :, 0])
        low_sum += _sum(magnitudes & np.int16((1 << chunk) - 1), codes[block])
        whole_sum += _sum(magnitudes, codes[block])
    return Improvement(low_sum=low_sum, high_sum=whole_sum - low_sum)


def _sum(parts: np.ndarray, codes: np.ndarray) -> int:
    """Sum of ``parts * 2**code``; summed per code, because the sum of a large tensor may exceed int64.

    The sums are below 2**53, and so exact in float64, whose product of matrices is faster than sums of short rows.
    """
    groups = parts.astype(np.float64) @ np.ones(parts.shape[1])
    sums = np.bincount(codes, weights=groups)
    return sum(int(one) << code for code, one in enumerate(sums))
