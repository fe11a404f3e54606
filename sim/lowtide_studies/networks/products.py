"""The three products of a layer, with quantized operands."""

from typing import Protocol

import numpy as np

from lowtide_studies.networks.arithmetic import Arithmetic
from lowtide_studies.networks.gradient_rounding import GradientRounding

__all__ = ["LayerProducts", "NetworkProducts", "Products"]


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
    """The forward product, and the products for the gradients of inputs and weights.

    An operand is quantized along the reduction of its product. Therefore gradients, weights and
    activations are quantized twice, along different axes.

    Parameters
    ----------
    arithmetic : Arithmetic
        The formats.
    rounding : GradientRounding
        Rounding of gradients; its random source continues from one gradient to the next.
    """

    def __init__(self, arithmetic: Arithmetic, rounding: GradientRounding):
        self.arithmetic, self.rounding = arithmetic, rounding

    def layer(self, number: int) -> "Products":
        """The products, which all layers share."""
        return self

    def forward(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``x @ weights``."""
        return self.arithmetic.multiply(self.arithmetic.value(x, 1), self.arithmetic.value(weights, 0))

    def to_inputs(self, gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``gradient @ weights.T``."""
        return self.arithmetic.multiply(self._gradient(gradient, 1), self.arithmetic.value(weights.T, 0))

    def to_weights(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """``x.T @ gradient``."""
        return self.arithmetic.multiply(self.arithmetic.value(x.T, 1), self._gradient(gradient, 0))

    def _gradient(self, gradient: np.ndarray, axis: int):
        group = self.arithmetic.group
        rounding = self.rounding.take(gradient.shape[1 - axis], -(-gradient.shape[axis] // group) * group)
        return self.arithmetic.gradient(gradient, axis, rounding)
