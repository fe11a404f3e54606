"""Products of symmetric integers with one scale per tensor."""

import attrs
import numpy as np

from lowtide.formats.parameter import parameter
from lowtide_model.grouping import blocks, grouped
from lowtide_model.quotient import SMALLEST_SCALE, nearest_quotient
from lowtide_model.rounding_modes import rounding_of
from lowtide_model.stochastic import RoundingMethod

__all__ = ["IntegerTensor", "Integers"]


@attrs.frozen(kw_only=True, eq=False)
class IntegerTensor:
    """Values ``signed * scale``.

    Parameters
    ----------
    signed : array of float64
        Signed integers in floating point, in which their products are exact.
    scale : float
        Value of one step.
    """

    signed: np.ndarray
    scale: float


@attrs.frozen(kw_only=True)
class Integers:
    """Sign and magnitude, symmetric: ``M = round(|x| / scale)`` with ``scale = max|x| / (2**bits - 1)``.

    Rounding to nearest uses the exact quotient, the other roundings the quotient in float64. A tensor whose scale is
    not a normal float64 counts as zeros, as in `lowtide_model.terms.quantize_integers`. Sums of products are exact
    and are rounded to FP32 once, together with the scales.

    Parameters
    ----------
    bits : int
        Bits per magnitude: 7 for 8-bit integers.
    group : int
        Elements along the reduction that are rounded together, with one random word each.
    """

    bits: int = parameter(7, range(1, 16), "bits of a magnitude")
    group: int = parameter(16, range(1, 1025), "elements rounded at once")

    def value(self, x: np.ndarray, axis: int) -> IntegerTensor:
        """Weights or activations, to nearest, ties to even."""
        return self.gradient(x, axis, "nearest_even")

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> IntegerTensor:
        """Gradients; ``rounding`` is a rounding of `lowtide_model.quantize`, applied to equal rows and groups."""
        largest = 2**self.bits - 1
        x = x.astype(np.float64)
        scale = float(np.abs(x).max(initial=0)) / largest
        if scale < SMALLEST_SCALE:
            return IntegerTensor(signed=np.zeros_like(x), scale=1.0)
        if rounding in ("nearest", "nearest_even"):
            rounded = nearest_quotient(x, scale, even=rounding == "nearest_even")
            return IntegerTensor(signed=rounded, scale=scale)
        groups, padded = grouped(x / scale, axis, self.group)
        groups = groups.copy()
        round_block = rounding_of(rounding, groups.shape, padded[axis] // self.group)
        for block in blocks(groups):
            round_block(groups[block], block)
        rounded = groups.reshape(padded)[tuple(slice(length) for length in x.shape)]
        return IntegerTensor(signed=np.clip(rounded, -largest, largest), scale=scale)

    def multiply(self, a: IntegerTensor, b: IntegerTensor) -> np.ndarray:
        """The product in FP32."""
        return ((a.signed @ b.signed) * (a.scale * b.scale)).astype(np.float32)
