"""Training runs, from random weights to the accuracy on held-out images, and their settings."""

import math

import attrs
import numpy as np

from lowtide_model.stochastic import RoundingMethod
from lowtide_studies.networks.arithmetic import Arithmetic, Blocks, Integers
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.network import Network, accuracy, cross_entropy, network
from lowtide_studies.networks.products import FP32, GradientRounding, Products

__all__ = ["SETTINGS", "USUAL", "Setting", "Trained", "descend", "final_accuracy", "fit", "resting", "train"]

BFP = Blocks(mantissa=4, gradient_mantissa=2)


@attrs.frozen(kw_only=True)
class Setting:
    """One of `NETWORKS`, the format of its operands, and the steps of its training by gradient descent.

    With ``decays``, the rate falls to zero along half a cosine; otherwise it is constant.
    """

    meaning: str
    network: str = "perceptron"
    arithmetic: Arithmetic = BFP
    epochs: int
    batch: int = 32
    rate: float
    momentum: float = 0.9
    decays: bool = False

    def rate_of(self, epoch: int) -> float:
        return self.rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2 if self.decays else self.rate


SETTINGS = {
    "small-steps": Setting(meaning="BFP, 4 bits, gradients 2 bits; many small steps", epochs=8, rate=0.01),
    "large-steps": Setting(
        meaning="BFP, 4 bits, gradients 2 bits; large steps that decay", epochs=6, rate=0.05, decays=True
    ),
    "integer": Setting(meaning="8-bit integers; many small steps", arithmetic=Integers(), epochs=8, rate=0.01),
    "convolution": Setting(
        meaning="convolutions; BFP, 4 bits, gradients 2 bits; many small steps",
        network="convolution",
        epochs=4,
        rate=0.01,
    ),
}
"""Settings by name."""

USUAL = ("small-steps", "large-steps", "integer")
"""Default settings of a study."""


@attrs.frozen(kw_only=True)
class Trained:
    """Result of a run.

    Parameters
    ----------
    accuracy : float
        Share of recognized held-out images at the end, with quantized products as in training.
    loss : float
        Mean cross-entropy of all training images at the end, with quantized products.
    losses : list of float
        Mean loss of the batches of each epoch, while it trained.
    """

    accuracy: float
    loss: float
    losses: list[float]


def train(setting: Setting, rounding: str | RoundingMethod | None, seed: int) -> Trained:
    """Train by gradient descent with momentum, weights in FP32, all products quantized.

    Equal arguments give equal bits. First weights and order of images depend on the seed only. ``rounding`` is a
    rounding of gradients for `lowtide_model.quantize`, or None for FP32 without quantization.
    """
    products = FP32 if rounding is None else Products(setting.arithmetic, GradientRounding(rounding))
    digits = Digits.load()
    trained = network(setting.network, seed)
    losses = fit(trained, digits.training, products, setting, seed)
    held_out, training = digits.held_out, digits.training
    return Trained(
        accuracy=accuracy(trained.scores(held_out.pixels, products), held_out.labels),
        loss=cross_entropy(trained.scores(training.pixels, products), training.labels)[0],
        losses=losses,
    )


def fit(
    trained: Network,
    images: Images,
    products: Products,
    setting: Setting,
    seed: int,
) -> list[float]:
    """Train a network in place on images in the order of a seed; return the mean loss of each epoch."""
    random = np.random.default_rng([seed, 1])
    velocities = resting(trained)
    losses = []
    for epoch in range(setting.epochs):
        order = random.permutation(len(images))
        batches = [order[start : start + setting.batch] for start in range(0, len(order), setting.batch)]
        rate = np.float32(setting.rate_of(epoch))
        total = 0.0
        for batch in batches:
            loss, gradients = trained.gradients(images.pixels[batch], images.labels[batch], products)
            descend(trained, velocities, gradients, rate, np.float32(setting.momentum))
            total += loss * len(batch)
        losses.append(total / len(order))
    return losses


def resting(trained: Network) -> list[tuple[np.ndarray, np.ndarray]]:
    """Velocities of weights and biases before the first step: zero."""
    return [(np.zeros_like(layer.weights), np.zeros_like(layer.bias)) for layer in trained.layers]


def descend(
    trained: Network,
    velocities: list[tuple[np.ndarray, np.ndarray]],
    gradients: list[tuple[np.ndarray, np.ndarray]],
    rate: np.float32,
    momentum: np.float32,
) -> None:
    """One step of gradient descent with momentum in FP32, in place."""
    for layer, velocity, gradient in zip(trained.layers, velocities, gradients, strict=True):
        for weights, speed, slope in zip((layer.weights, layer.bias), velocity, gradient, strict=True):
            speed *= momentum
            speed -= rate * slope
            weights += speed


def final_accuracy(rounding: str | RoundingMethod | None, *, seed: int, epochs: int = 8) -> float:
    """Accuracy on held-out digits, from 0 to 1, after a short training: a run of the setting ``small-steps``.

    Parameters
    ----------
    rounding : str or RoundingMethod or None
        Rounding of gradients for `lowtide_model.quantize`. A group has 16 elements: the lanes of a
        source must divide it. With None nothing is quantized.
    seed : int
        Seed of the first weights and the order of images. Compare roundings at equal seeds.
    epochs : int
        Passes over the training images.
    """
    return train(attrs.evolve(SETTINGS["small-steps"], epochs=epochs), rounding, seed).accuracy
