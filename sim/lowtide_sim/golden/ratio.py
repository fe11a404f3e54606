"""What a second chunk of magnitudes adds to the first: the ratio by which FAST chooses a tensor's precision."""

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from lowtide.formats import IllegalValue
from lowtide_sim.golden.converter import quantise

__all__ = ["LEGAL_THRESHOLDS", "Ratio", "ratio_of"]

LEGAL_THRESHOLDS = range(1024)
"""Thresholds in 256ths, as a controller's register has them."""


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

    rest: int
    kept: int

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
        if threshold not in LEGAL_THRESHOLDS:
            raise IllegalValue("threshold", f"from 0 to {LEGAL_THRESHOLDS[-1]}", threshold)
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
    magnitudes = np.abs(tensor.signed.astype(np.int64)).reshape(*tensor.codes.shape, group)
    rest = magnitudes & (1 << chunk) - 1
    codes = tensor.codes.astype(np.int64)
    return Ratio(
        rest=int((rest.sum(axis=-1) << codes).sum()), kept=int(((magnitudes - rest).sum(axis=-1) << codes).sum())
    )
