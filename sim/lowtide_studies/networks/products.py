"""The three products of a layer, with quantized operands."""

from typing import Protocol

import attrs
import numpy as np

from lowtide_model import Stochastic
from lowtide_model.stochastic import RoundingMethod
from lowtide_studies.networks.arithmetic import Arithmetic, Plain

__all__ = ["FP32", "GradientRounding", "LayerProducts", "NetworkProducts", "Products"]


class GradientRounding:
    """Gives a rounding of `lowtide_model.quantize` for each tensor; its random source continues as in hardware."""

    def __init__(self, rounding: str | RoundingMethod):
        self._next = rounding

    def take(self, rows: int, elements: int) -> str | RoundingMethod:
        """The rounding of the next tensor, by its number of rows, and of elements per row with padding."""
        rounding = self._next
        if isinstance(rounding, Stochastic):
            self._next = attrs.evolve(
                rounding,
                first_row=rounding.first_row + rows,
                first_step=rounding.first_step + rows * elements // rounding.lanes,
            )
        return rounding


class LayerProducts(Protocol):
    """The three products of one layer."""

    def forward(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``x @ weights``."""
        ...

    def to_inputs(self, gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``gradient @ weights.T``."""
        ...

    def to_weights(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """``x.T @ gradient``."""
        ...


class NetworkProducts(Protocol):
    """The products of all layers of a network."""

    def layer(self, number: int) -> LayerProducts:
        """Products of a layer; the first layer is 0."""
        ...


class Products:
    """The three products, which all layers share, in an arithmetic and with a rounding of gradients.

    An operand is quantized along the reduction of its product. Therefore gradients, weights and
    activations are quantized twice, along different axes.
    """

    def __init__(self, arithmetic: Arithmetic, rounding: GradientRounding):
        self.arithmetic, self.rounding = arithmetic, rounding

    def layer(self, number: int) -> "Products":
        return self

    def forward(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.arithmetic.multiply(self.arithmetic.value(x, 1), self.arithmetic.value(weights, 0))

    def to_inputs(self, gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.arithmetic.multiply(self._gradient(gradient, 1), self.arithmetic.value(weights.T, 0))

    def to_weights(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return self.arithmetic.multiply(self.arithmetic.value(x.T, 1), self._gradient(gradient, 0))

    def _gradient(self, gradient: np.ndarray, axis: int):
        group = self.arithmetic.group
        rounding = self.rounding.take(gradient.shape[1 - axis], -(-gradient.shape[axis] // group) * group)
        return self.arithmetic.gradient(gradient, axis, rounding)


FP32 = Products(Plain(), GradientRounding("nearest"))
"""Products without quantization."""
