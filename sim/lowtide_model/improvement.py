"""What a second chunk of magnitudes adds to the first: the ratio by which FAST chooses a tensor's precision."""

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.bfp_tensor import COUNT, LEGAL, BfpTensor
from lowtide_model.converter import quantize

__all__ = ["LEGAL_THRESHOLDS", "Improvement", "improvement_of"]

LEGAL_THRESHOLDS = range(1024)
"""Thresholds in 256ths, as a controller's register has them."""

LEGAL_CHUNKS = range(1, LEGAL["mantissa"][-1] // 2 + 1)
"""Bits of a chunk: a magnitude has two of them."""


@attrs.frozen
class Improvement:
    """Sums over a tensor's elements, in units of the second chunk at code 0.

    Parameters
    ----------
    low_sum : int
        What the second chunks add.
    high_sum : int
        What the first chunks have.
    """

    low_sum: int = attrs.field(converter=COUNT)
    high_sum: int = attrs.field(converter=COUNT)

    @property
    def value(self) -> float:
        """``low_sum / high_sum``; 0 of a tensor of zeros."""
        return float(Fraction(self.low_sum, self.high_sum)) if self.high_sum else 0.0

    def exceeds(self, threshold: int) -> bool:
        """Whether it is above ``threshold / 256``: then a second chunk is worth its cycles.

        Raises
        ------
        IllegalValue
            If the threshold is none of a controller's.
        """
        threshold = whole_number("threshold", threshold, LEGAL_THRESHOLDS)
        return 256 * self.low_sum > threshold * self.high_sum


def improvement_of(x: Any, *, chunk: int, exponent: int, group: int, axis: int, bias: int | None = None) -> Improvement:
    """The ratio of a tensor, from its magnitudes of two chunks under truncation, however it is rounded for a product.

    Parameters
    ----------
    x : array of floats
        Not finite elements count as hardware counts them.
    chunk : int
        Bits of a chunk.
    exponent, group, axis, bias
        As of `quantize`.
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
    magnitudes = np.abs(tensor.signed.astype(np.int64)).reshape(*tensor.codes.shape, tensor.group)
    low_sum = magnitudes & (1 << chunk) - 1
    return Improvement(low_sum=_sum(low_sum, tensor), high_sum=_sum(magnitudes - low_sum, tensor))


def _sum(parts: np.ndarray, tensor: BfpTensor) -> int:
    """Sum of ``parts * 2**code``: code by code, since the sum of a large tensor may exceed int64."""
    groups = parts.sum(axis=-1)
    return sum(int(groups[tensor.codes == code].sum()) << code for code in range(tensor.max_code + 1))
