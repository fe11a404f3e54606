"""A multilayer perceptron, trained in FP32, and its products on the array, layer by layer, at several precisions."""

from collections.abc import Callable
from itertools import pairwise

import attrs
import numpy as np

from lowtide_model import to_fp32
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_studies.networks.digits import CLASSES, PIXELS, Images
from lowtide_studies.networks.network import Dense, Network, accuracy, random_network, rectified
from lowtide_studies.networks.products import FP32
from lowtide_studies.networks.training import descend, resting
from lowtide_studies.workload.products import CheckedProduct, Precision, Total, checked_products

__all__ = ["WIDTHS", "Inference", "infer", "train"]

WIDTHS = (PIXELS, 128, 64, CLASSES)
SEED = 1
EPOCHS, BATCH = 40, 32
RATE, MOMENTUM, DECAY = (np.float32(x) for x in (0.05, 0.9, 1e-4))


def train(images: Images, progress: Callable[[int, int], None] | None = None) -> Network:
    """Train a network of `WIDTHS` from random weights, by gradient descent with momentum on the cross-entropy.

    Each call gives equal bits. After each epoch, ``progress`` is called with the number of finished epochs and of all
    epochs.
    """
    random = np.random.default_rng(SEED)
    network = random_network((PIXELS,), [(Dense(), *widths) for widths in pairwise(WIDTHS)], random)
    velocities = resting(network)
    for epoch in range(EPOCHS):
        rate = RATE * np.float32((1 + np.cos(np.pi * epoch / EPOCHS)) / 2)
        order = random.permutation(len(images))
        for start in range(0, len(order), BATCH):
            batch = images.take(order[start : start + BATCH])
            _, gradients = network.gradients(batch.pixels, batch.labels, FP32)
            decaying = [
                (to_weights + DECAY * layer.weights, to_bias)
                for layer, (to_weights, to_bias) in zip(network.layers, gradients, strict=True)
            ]
            descend(network, velocities, decaying, rate, MOMENTUM)
        if progress:
            progress(epoch + 1, EPOCHS)
    return network


@attrs.frozen(kw_only=True, eq=False)
class Inference:
    """Accuracy of the network at one precision of all layers, and the product of each layer."""

    precision: Precision
    accuracy: float
    layers: tuple[CheckedProduct, ...]

    @property
    def total(self) -> Total:
        return Total.of(self.layers)


def infer(
    network: Network,
    images: Images,
    array: SimulatedArray,
    precisions: tuple[Precision, ...],
    stage: Callable[[str], None] = lambda _: None,
) -> list[Inference]:
    """Run images through the network, with every product on the array.

    Only results of the array reach the next layer: rounded to FP32, with the bias, rectified, and quantized. Each
    layer is one run of the simulation, for all precisions. ``stage`` is called with the name of each stage.
    """
    activations = scores = [images.pixels] * len(precisions)
    products: list[list[CheckedProduct]] = []
    for number, layer in enumerate(network.layers, 1):
        stage(f"Layer {number} of {len(network.layers)}")
        operands = [
            (
                array.quantize(inputs, mantissa=precision.a, axis=1),
                array.quantize(layer.weights, mantissa=precision.b, axis=0),
            )
            for precision, inputs in zip(precisions, activations, strict=True)
        ]
        products.append(checked_products(array, operands))
        scores = [
            to_fp32(checked.product.acc, a, b).values + layer.bias
            for (a, b), checked in zip(operands, products[-1], strict=True)
        ]
        activations = [rectified(x) for x in scores]
    return [
        Inference(precision=precision, accuracy=accuracy(scores[i], images.labels), layers=layers)
        for i, (precision, layers) in enumerate(zip(precisions, zip(*products, strict=True), strict=True))
    ]
