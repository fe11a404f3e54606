"""What a second chunk of magnitudes adds to the first: the ratio by which FAST chooses a tensor's precision."""

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.bfp_tensor import COUNT, LEGAL, BfpTensor
from lowtide_model.converter import quantise

__all__ = ["LEGAL_THRESHOLDS", "Ratio", "ratio_of"]

LEGAL_THRESHOLDS = range(1024)
"""Thresholds in 256ths, as a controller's register has them."""

LEGAL_CHUNKS = range(1, LEGAL["mantissa"][-1] // 2 + 1)
"""Bits of a chunk: a magnitude has two of them."""


@attrs.frozen
class Ratio:
    """Sums over a tensor's elements, in units of the second chunk at code 0.

    Parameters
    ----------
    rest : int
        What the second chunks add.
    kept : int
        What the first chunks have.
    """

    rest: int = attrs.field(converter=COUNT)
    kept: int = attrs.field(converter=COUNT)

    @property
    def value(self) -> float:
        """``rest / kept``; 0 of a tensor of zeros."""
        return float(Fraction(self.rest, self.kept)) if self.kept else 0.0

    def exceeds(self, threshold: int) -> bool:
        """Whether it is above ``threshold / 256``: then a second chunk is worth its cycles.

        Raises
        ------
        IllegalValue
            If the threshold is none of a controller's.
        """
        threshold = whole_number("threshold", threshold, LEGAL_THRESHOLDS)
        return 256 * self.rest > threshold * self.kept


def ratio_of(x: Any, *, chunk: int, exponent: int, group: int, axis: int, bias: int | None = None) -> Ratio:
    """The ratio of a tensor, from its magnitudes of two chunks under truncation, however it is rounded for a product.

    Parameters
    ----------
    x : array of floats
        Not finite elements count as hardware counts them.
    chunk : int
        Bits of a chunk.
    exponent, group, axis, bias
        As of `quantise`.
    """
    chunk = whole_number("chunk", chunk, LEGAL_CHUNKS)
    tensor = quantise(
        x,
        mantissa=2 * chunk,
        exponent=exponent,
        group=group,
        axis=axis,
        bias=bias,
        rounding="truncate",
        bad="saturate",
    )
    magnitudes = np.abs(tensor.signed.astype(np.int64)).reshape(*tensor.codes.shape, tensor.group)
    rest = magnitudes & (1 << chunk) - 1
    return Ratio(rest=_sum(rest, tensor), kept=_sum(magnitudes - rest, tensor))


def _sum(parts: np.ndarray, tensor: BfpTensor) -> int:
    """Sum of ``parts * 2**code``: code by code, since the sum of a large tensor may exceed int64."""
    groups = parts.sum(axis=-1)
    return sum(int(groups[tensor.codes == code].sum()) << code for code in range(tensor.max_code + 1))
