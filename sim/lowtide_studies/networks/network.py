"""Networks of layers with quantized products, and the gradients of their loss."""

from collections.abc import Sequence
from typing import Protocol

import attrs
import numpy as np

from lowtide_studies.networks.digits import CLASSES, PIXELS
from lowtide_studies.networks.products import LayerProducts, NetworkProducts

__all__ = [
    "NETWORKS",
    "Convolution",
    "Dense",
    "Network",
    "Window",
    "accuracy",
    "cross_entropy",
    "network",
    "random_network",
    "rectified",
]


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
        return x.reshape(len(x), -1)

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return rows.reshape(shape)

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return rows


class Layer:
    """Computes ``unfold(x) @ weights + bias``, and the gradients of ``x``, weights and bias.

    Weights have the shape (inputs of a row, outputs).
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


@attrs.frozen
class Convolution:
    """Windows of ``size`` × ``size`` at every place of images (rows, columns, channels), without padding."""

    size: int

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """One row per window, with channels, then positions; windows in the order of images, rows and columns."""
        windows = np.lib.stride_tricks.sliding_window_view(x, (self.size, self.size), axis=(1, 2))
        return windows.reshape(-1, x.shape[3] * self.size**2)

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Sum of each element over the windows that contain it."""
        images, height, width, channels = shape
        down, across = height - self.size + 1, width - self.size + 1
        windows = rows.reshape(images, down, across, channels, self.size, self.size)
        folded = np.zeros(shape, rows.dtype)
        for i in range(self.size):
            for j in range(self.size):
                folded[:, i : i + down, j : j + across] += windows[..., i, j]
        return folded

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        images, height, width, _ = shape
        return rows.reshape(images, height - self.size + 1, width - self.size + 1, -1)


# Shape of the image; for each layer its window, inputs per row, and outputs.
NETWORKS: dict[str, tuple[tuple[int, ...], tuple[tuple[Window, int, int], ...]]] = {
    "perceptron": ((PIXELS,), ((Dense(), PIXELS, 64), (Dense(), 64, CLASSES))),
    "wide-perceptron": ((PIXELS,), ((Dense(), PIXELS, 256), (Dense(), 256, CLASSES))),
    "convolution": (
        (8, 8, 1),
        ((Convolution(3), 9, 8), (Convolution(3), 72, 16), (Dense(), 4 * 4 * 16, CLASSES)),
    ),
}


@attrs.frozen(eq=False)
class Network:
    """Layers with a rectifier (ReLU) between any two; ``image`` is the shape of an image for the first layer."""

    image: tuple[int, ...]
    layers: tuple[Layer, ...]

    def scores(self, pixels: np.ndarray, products: NetworkProducts) -> np.ndarray:
        """Scores of the classes, for each image."""
        x = pixels.reshape(-1, *self.image)
        for number, layer in enumerate(self.layers[:-1]):
            x = rectified(layer.forward(x, products.layer(number)))
        return self.layers[-1].forward(x, products.layer(len(self.layers) - 1))

    def gradients(
        self, pixels: np.ndarray, labels: np.ndarray, products: NetworkProducts
    ) -> tuple[float, list[tuple[np.ndarray, np.ndarray]]]:
        """Loss of a batch, and its gradients of weights and bias of each layer."""
        x, active = pixels.reshape(-1, *self.image), []
        pairs = [(layer, products.layer(number)) for number, layer in enumerate(self.layers)]
        for layer, its in pairs[:-1]:
            x = rectified(layer.forward(x, its))
            active.append(x > 0)
        layer, its = pairs[-1]
        loss, gradient = cross_entropy(layer.forward(x, its), labels)
        found = []
        for (layer, its), mask in zip(pairs[:0:-1], active[::-1], strict=True):
            found.append(layer.backward(gradient, its))
            gradient = layer.to_inputs(gradient, its) * mask
        layer, its = pairs[0]
        return loss, [layer.backward(gradient, its), *found[::-1]]


def network(name: str, seed: int, dtype: type[np.floating] = np.float32) -> Network:
    """A network of `NETWORKS` with random weights, which depend on the seed only."""
    image, layers = NETWORKS[name]
    return random_network(image, layers, np.random.default_rng(seed), dtype)


def random_network(
    image: tuple[int, ...],
    layers: Sequence[tuple[Window, int, int]],
    random: np.random.Generator,
    dtype: type[np.floating] = np.float32,
) -> Network:
    """A network with random weights; each layer has a window, a number of inputs per row, and of outputs."""

    def layer(window: Window, inputs: int, outputs: int) -> Layer:
        weights = (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(dtype)
        return Layer(window, weights, np.zeros(outputs, dtype))

    return Network(image, tuple(layer(*one) for one in layers))


def rectified(x: np.ndarray) -> np.ndarray:
    """Rectifier (ReLU): negative values become zero."""
    return np.maximum(x, 0)


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of images with the highest score at their label."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean cross-entropy of a batch, and its gradient of the scores."""
    images = np.arange(len(labels))
    below = scores - scores.max(axis=1, keepdims=True)
    powers = np.exp(below)
    sums = powers.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(sums[:, 0]) - below[images, labels]))
    gradient = powers / sums
    gradient[images, labels] -= 1
    return loss, gradient / scores.dtype.type(len(labels))
