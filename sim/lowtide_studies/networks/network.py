"""Networks of layers with quantized products, and the gradients of their loss."""

import attrs
import numpy as np

from lowtide_studies.networks.convolution import Convolution
from lowtide_studies.networks.digits import CLASSES, PIXELS
from lowtide_studies.networks.inference_network import rectified
from lowtide_studies.networks.layer import Dense, Layer, Window
from lowtide_studies.networks.products import NetworkProducts

__all__ = ["NETWORKS", "Network", "cross_entropy", "network"]

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
    """Layers with a rectifier (ReLU) between any two.

    Parameters
    ----------
    image : tuple of int
        Shape of an image for the first layer.
    layers : tuple of Layer
    """

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
    """A network with random weights, which depend on the seed only."""
    random = np.random.default_rng(seed)
    image, layers = NETWORKS[name]
    return Network(
        image,
        tuple(
            Layer(
                window,
                (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(dtype),
                np.zeros(outputs, dtype),
            )
            for window, inputs, outputs in layers
        ),
    )


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
