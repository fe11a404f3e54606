"""Products in block floating point, as in the array."""

import attrs
import numpy as np

from lowtide_model import BfpTensor, matmul, quantize, to_fp32
from lowtide_model.stochastic import RoundingMethod

__all__ = ["Blocks"]


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
        """Weights or activations, to nearest, ties to even."""
        return quantize(
            x,
            mantissa=self.mantissa,
            exponent=self.exponent,
            group=self.group,
            axis=axis,
            rounding="nearest_even",
        )

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> BfpTensor:
        """Gradients, with their own number of bits."""
        return quantize(
            x,
            mantissa=self.gradient_mantissa,
            exponent=self.exponent,
            group=self.group,
            axis=axis,
            rounding=rounding,
        )

    def multiply(self, a: BfpTensor, b: BfpTensor) -> np.ndarray:
        """The golden product in FP32."""
        return to_fp32(matmul(a, b), a, b).values
