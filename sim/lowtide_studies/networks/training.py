"""One training run, from random weights to the accuracy on held-out images."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide_model.stochastic import RoundingMethod
from lowtide_studies.networks.arithmetic import Plain
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.gradient_rounding import GradientRounding
from lowtide_studies.networks.inference_network import accuracy
from lowtide_studies.networks.network import Network, cross_entropy, network
from lowtide_studies.networks.products import Products
from lowtide_studies.networks.setting import Setting

__all__ = ["Trained", "descend", "fit", "train"]


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


def train(
    setting: Setting,
    rounding: str | RoundingMethod | None,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trained:
    """Train by gradient descent with momentum, weights in FP32, all products quantized.

    Parameters
    ----------
    setting : Setting
        All parameters but the rounding of gradients.
    rounding : str or RoundingMethod or None
        Rounding of gradients for `lowtide_model.quantize`; None for FP32 without quantization.
    seed : int
        Seed of the first weights and of the order of images, which do not depend on the rounding.
    progress : callable
        Called after each epoch with the number of finished epochs and of all epochs.

    Returns
    -------
    Trained
        Equal bits for equal arguments.
    """
    arithmetic = Plain() if rounding is None else setting.arithmetic
    products = Products(arithmetic, GradientRounding("nearest" if rounding is None else rounding))
    digits = Digits.load()
    trained = network(setting.network, seed)
    losses = fit(trained, digits.training, products, setting, seed, progress)
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
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[float]:
    """Train a network in place on images in the order of a seed; return the mean loss of each epoch."""
    random = np.random.default_rng([seed, 1])
    velocities = [(np.zeros_like(layer.weights), np.zeros_like(layer.bias)) for layer in trained.layers]
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
        progress(epoch + 1, setting.epochs)
    return losses


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
