"""Arithmetic of the operands of a layer: quantized tensors, or plain floating point."""

from typing import Any, Protocol

import attrs
import numpy as np

from lowtide_model.stochastic import RoundingMethod

__all__ = ["Arithmetic", "Plain"]


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
        """The matrix itself."""
        return x

    def gradient(self, x: np.ndarray, axis: int, rounding: str | RoundingMethod) -> np.ndarray:
        """The matrix itself."""
        return x

    def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """NumPy's product."""
        return a @ b
