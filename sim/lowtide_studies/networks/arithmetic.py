"""Arithmetic of the operands of a layer: plain floating point, block floating point, and integers."""

from typing import Any, Protocol

import attrs
import numpy as np

from lowtide.formats.parameter import parameter
from lowtide_model import BfpTensor, matmul, quantize, to_fp32
from lowtide_model.grouping import blocks, grouped
from lowtide_model.quotient import SMALLEST_SCALE, nearest_quotient
from lowtide_model.rounding import Grouped
from lowtide_model.rounding_modes import rounding_of
from lowtide_model.stochastic import RoundingMethod

__all__ = ["Arithmetic", "Blocks", "Integers", "Plain"]


class Arithmetic(Protocol):
    """A number format for weights and activations, another for gradients, and their products."""

    @property
    def group(self) -> int:
        """Elements per group along the reduction; rows are padded to whole groups."""
        ...

    def value(self, x: np.ndarray, axis: int) -> Any:
        """A matrix of weights or activations as an operand, reduced along ``axis``: to nearest, ties to even."""
        ...

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> Any:
        """A matrix of gradients as an operand, rounded as `lowtide_model.quantize` rounds."""
        ...

    def multiply(self, a: Any, b: Any) -> np.ndarray:
        """The product of two operands."""
        ...


@attrs.frozen
class Plain:
    """No quantization: products of NumPy, in the type of the operands."""

    group: int = 1

    def value(self, x: np.ndarray, axis: int) -> np.ndarray:
        return x

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> np.ndarray:
        return x

    def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a @ b


@attrs.frozen(kw_only=True)
class Blocks:
    """Operands by the golden converter, exact sums, and one rounding to FP32.

    Parameters
    ----------
    mantissa : int
        Bits of a magnitude of weights and activations.
    gradient_mantissa : int
        Bits of a magnitude of gradients.
    exponent, group : int
        Bits per exponent code, elements per group, for all operands.
    """

    mantissa: int = 4
    gradient_mantissa: int = 2
    exponent: int = 3
    group: int = 16

    def value(self, x: np.ndarray, axis: int) -> BfpTensor:
        return self._quantize(x, self.mantissa, axis, "nearest_even")

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> BfpTensor:
        return self._quantize(x, self.gradient_mantissa, axis, rounding)

    def _quantize(self, x: np.ndarray, mantissa: int, axis: int, rounding: str | RoundingMethod) -> BfpTensor:
        return quantize(x, mantissa=mantissa, exponent=self.exponent, group=self.group, axis=axis, rounding=rounding)

    def multiply(self, a: BfpTensor, b: BfpTensor) -> np.ndarray:
        return to_fp32(matmul(a, b), a, b).values


@attrs.frozen(kw_only=True, eq=False)
class IntegerTensor:
    """Values ``signed * scale``: signed integers in float64, in which their products are exact."""

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
        return self.gradient(x, axis, "nearest_even")

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> IntegerTensor:
        largest = 2**self.bits - 1
        x = x.astype(np.float64)
        scale = float(np.abs(x).max(initial=0)) / largest
        if scale < SMALLEST_SCALE:
            return IntegerTensor(signed=np.zeros_like(x), scale=1.0)
        if rounding in ("nearest", "nearest_even"):
            rounded = nearest_quotient(x, scale, even=rounding == "nearest_even")
            return IntegerTensor(signed=rounded, scale=scale)
        groups, padded = grouped(x / scale, axis, self.group)
        chosen = rounding_of(rounding, Grouped(groups.shape, padded[axis] // self.group, self.bits))
        groups = np.ldexp(groups, chosen.fraction)
        for block in blocks(groups):
            groups[block] = chosen.function(groups[block], block)
        rounded = groups.reshape(padded)[tuple(slice(length) for length in x.shape)]
        return IntegerTensor(signed=np.clip(rounded, -largest, largest), scale=scale)

    def multiply(self, a: IntegerTensor, b: IntegerTensor) -> np.ndarray:
        return ((a.signed @ b.signed) * (a.scale * b.scale)).astype(np.float32)
