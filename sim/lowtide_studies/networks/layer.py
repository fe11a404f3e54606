"""Layers whose products are quantized: fully connected, and convolutions as products of unfolded images."""

from typing import Protocol

import attrs
import numpy as np

from lowtide_studies.networks.products import LayerProducts

__all__ = ["Dense", "Layer", "Window"]


class Window(Protocol):
    """Converts inputs of a layer to a matrix whose rows are multiplied by the weights."""

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """Inputs, images first, as rows."""
        ...

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Gradients of the inputs as sums over the rows: the transpose of `unfold`."""
        ...

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Outputs for inputs of a shape, from the products of the rows."""
        ...


@attrs.frozen
class Dense:
    """One row has all inputs of an image."""

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """One row per image."""
        return x.reshape(len(x), -1)

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Images in their shape."""
        return rows.reshape(shape)

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """One row of outputs per image."""
        return rows


class Layer:
    """Computes ``unfold(x) @ weights + bias``, and the gradients of ``x``, weights and bias.

    Parameters
    ----------
    window : Window
        Conversion of inputs to rows.
    weights : array, shape (inputs of a row, outputs)
    bias : array, shape (outputs,)
    """

    def __init__(self, window: Window, weights: np.ndarray, bias: np.ndarray):
        self.window, self.weights, self.bias = window, weights, bias
        self._shape: tuple[int, ...] = ()
        self._rows = weights

    def forward(self, x: np.ndarray, products: LayerProducts) -> np.ndarray:
        """Outputs; the inputs are kept for `backward`."""
        self._shape, self._rows = x.shape, self.window.unfold(x)
        return self.window.outputs(products.forward(self._rows, self.weights) + self.bias, x.shape)

    def backward(self, gradient: np.ndarray, products: LayerProducts) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of weights and bias, for the last inputs."""
        gradient = gradient.reshape(len(self._rows), -1)
        return products.to_weights(self._rows, gradient), gradient.sum(axis=0)

    def to_inputs(self, gradient: np.ndarray, products: LayerProducts) -> np.ndarray:
        """Gradient of the last inputs."""
        rows = products.to_inputs(gradient.reshape(len(self._rows), -1), self.weights)
        return self.window.fold(rows, self._shape)
