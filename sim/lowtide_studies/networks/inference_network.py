"""A small multilayer perceptron in FP32, and its training, in NumPy."""

from collections.abc import Callable
from itertools import pairwise

import attrs
import numpy as np

from lowtide_studies.networks.digits import CLASSES, PIXELS, Images

__all__ = ["WIDTHS", "Layer", "Network", "accuracy", "rectified", "train"]

WIDTHS = (PIXELS, 128, 64, CLASSES)
SEED = 1
EPOCHS, BATCH = 40, 32
RATE, MOMENTUM, DECAY = (np.float32(x) for x in (0.05, 0.9, 1e-4))


@attrs.define(eq=False)
class Layer:
    """Computes ``x @ weights + bias``.

    Parameters
    ----------
    weights : array of float32, shape (inputs, outputs)
    bias : array of float32, shape (outputs,)
    """

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs in FP32, before the rectifier."""
        return x @ self.weights + self.bias


@attrs.frozen(eq=False)
class Network:
    """Layers, with a rectifier (ReLU) between any two.

    Parameters
    ----------
    layers : tuple of Layer
    """

    layers: tuple[Layer, ...]

    def inputs(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Inputs of every layer; the inputs of the first layer are the pixels."""
        inputs = [pixels]
        for layer in self.layers[:-1]:
            inputs.append(rectified(layer(inputs[-1])))
        return inputs

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Scores of the classes, for each image."""
        return self.layers[-1](self.inputs(pixels)[-1])


def rectified(x: np.ndarray) -> np.ndarray:
    """Rectifier (ReLU): negative values become zero."""
    return np.maximum(x, 0)


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of images with the highest score at their label."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def train(images: Images, progress: Callable[[int, int], None] | None = None) -> Network:
    """Train from random weights, by gradient descent with momentum on the cross-entropy.

    Parameters
    ----------
    images : Images
        Training images.
    progress : callable, optional
        Called after each epoch with the number of finished epochs and of all epochs.

    Returns
    -------
    Network
        Equal bits in each call.
    """
    random = np.random.default_rng(SEED)
    network = Network(
        tuple(
            Layer(
                (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32),
                np.zeros(outputs, np.float32),
            )
            for inputs, outputs in pairwise(WIDTHS)
        )
    )
    velocities = [Layer(np.zeros_like(layer.weights), np.zeros_like(layer.bias)) for layer in network.layers]
    for epoch in range(EPOCHS):
        rate = RATE * np.float32((1 + np.cos(np.pi * epoch / EPOCHS)) / 2)
        order = random.permutation(len(images))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            _step(network, velocities, images.pixels[batch], images.labels[batch], rate)
        if progress:
            progress(epoch + 1, EPOCHS)
    return network


def _step(network: Network, velocities: list[Layer], pixels: np.ndarray, labels: np.ndarray, rate: np.float32) -> None:
    """One step of gradient descent."""
    inputs = network.inputs(pixels)
    gradient = _softmax(network.layers[-1](inputs[-1]))
    gradient[np.arange(len(labels)), labels] -= 1
    gradient /= np.float32(len(labels))
    for layer, velocity, x in zip(network.layers[::-1], velocities[::-1], inputs[::-1], strict=True):
        to_weights = x.T @ gradient + DECAY * layer.weights
        to_bias = gradient.sum(axis=0)
        gradient = (gradient @ layer.weights.T) * (x > 0)
        velocity.weights = MOMENTUM * velocity.weights - rate * to_weights
        velocity.bias = MOMENTUM * velocity.bias - rate * to_bias
        layer.weights += velocity.weights
        layer.bias += velocity.bias


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
