"""Layers whose products are quantized: fully connected, and convolutions as products of unfolded images."""

from typing import Protocol

import attrs
import numpy as np

from lowtide_studies.networks.products import LayerProducts

__all__ = ["Dense", "Layer", "Window"]


class Window(Protocol):
    """How a layer reads its inputs: as a matrix whose rows are multiplied by the weights."""

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """Inputs, images first, as rows."""
        ...

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Gradients of rows, summed into the inputs from which they were taken: the transpose of `unfold`."""
        ...

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Products of rows as the outputs of inputs of a shape."""
        ...


@attrs.frozen
class Dense:
    """All inputs of an image are one row."""

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """Each image flat."""
        return x.reshape(len(x), -1)

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Each image in its shape again."""
        return rows.reshape(shape)

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """A row of outputs an image."""
        return rows


class Layer:
    """Computes ``unfold(x) @ weights + bias``, and the gradients to all three.

    Parameters
    ----------
    window : Window
        How inputs become rows.
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
        """Gradients to weights and bias, of the inputs last seen."""
        gradient = gradient.reshape(len(self._rows), -1)
        return products.to_weights(self._rows, gradient), gradient.sum(axis=0)

    def to_inputs(self, gradient: np.ndarray, products: LayerProducts) -> np.ndarray:
        """Gradient to the inputs last seen."""
        rows = products.to_inputs(gradient.reshape(len(self._rows), -1), self.weights)
        return self.window.fold(rows, self._shape)
