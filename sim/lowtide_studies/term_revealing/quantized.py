"""Networks trained in FP32, and quantized to exact products of integers."""

from collections.abc import Iterator

import attrs
import numpy as np

from lowtide_model.quotient import nearest_quotient
from lowtide_model.terms import IntegerTensor, quantize_integers
from lowtide_studies.networks.arithmetic import Plain
from lowtide_studies.networks.digits import SPLIT, Digits, Images
from lowtide_studies.networks.network import Convolution, Network, Window, network, rectified
from lowtide_studies.networks.products import FP32
from lowtide_studies.networks.training import Setting as Schedule
from lowtide_studies.networks.training import fit

__all__ = ["SCHEDULES", "VALIDATION", "Operands", "Pretrained", "QuantizedNetwork", "pretrained", "quantized"]

VALIDATION = 287
"""Validation images, a fifth of the training images, which select settings; each seed draws others."""

SCHEDULES = {
    name: Schedule(meaning="FP32", network=name, arithmetic=Plain(), epochs=epochs, rate=0.05, batch=batch, decays=True)
    for name, epochs, batch in (("perceptron", 20, 32), ("convolution", 10, 64))
}
"""Training of each network."""


@attrs.frozen(kw_only=True, eq=False)
class Pretrained:
    """A network in FP32, and its images.

    The learned images also determine the scales of activations. Validation images select settings. Held-out images,
    equal for all seeds, select nothing.
    """

    network: Network
    learned: Images
    validation: Images
    held_out: Images


def pretrained(name: str, seed: int, split: int = SPLIT) -> Pretrained:
    """Train a network of `SCHEDULES`; equal arguments give equal bits.

    The seed determines the first weights, the order of images, and the validation images; the split, as in
    `Digits.load`, the held-out images.
    """
    digits = Digits.load(split)
    order = np.random.default_rng([seed, 2]).permutation(len(digits.training))
    learned, validation = (digits.training.take(part) for part in (order[VALIDATION:], order[:VALIDATION]))
    trained = network(name, seed)
    fit(trained, learned, FP32, SCHEDULES[name], seed)
    return Pretrained(network=trained, learned=learned, validation=validation, held_out=digits.held_out)


@attrs.frozen(kw_only=True, eq=False)
class QuantizedLayer:
    """A layer with integer operands.

    Parameters
    ----------
    window : Window
        Conversion of inputs to rows.
    weights : IntegerTensor, shape (inputs of a row, outputs)
        Weights in the order of the rows.
    bias : array of float32, shape (outputs,)
    input_scale : float
        Value of one step of the integers of the inputs.
    order : array of int
        Places of the row in the order in which groups are formed: channels of one place are neighbors.
    """

    window: Window
    weights: IntegerTensor
    bias: np.ndarray
    input_scale: float
    order: np.ndarray


@attrs.frozen(kw_only=True, eq=False)
class Operands:
    """Operands in place of the integers of a network: integers in `QuantizedNetwork.dtype`.

    Parameters
    ----------
    weights : list of array
        Weights of each layer.
    data : array, shape (2**width,)
        Replacement of the integer ``i - 2**(width - 1)``, at ``i``.
    """

    weights: list[np.ndarray]
    data: np.ndarray


@attrs.frozen(kw_only=True, eq=False)
class QuantizedNetwork:
    """Layers with a rectifier (ReLU) between any two, for images of a shape.

    Integers have ``width`` bits in two's complement.
    """

    image: tuple[int, ...]
    layers: tuple[QuantizedLayer, ...]
    width: int

    @property
    def integers(self) -> np.ndarray:
        """All integers of the width, in the order of `Operands.data`."""
        return np.arange(-(1 << self.width - 1), 1 << self.width - 1)

    @property
    def dtype(self) -> type[np.floating]:
        """The fastest type in which all sums are exact.

        Operands are at most ``2**(width - 1)`` in magnitude, revealed ones too.
        """
        longest = max(len(layer.order) for layer in self.layers)
        return np.float32 if longest << 2 * (self.width - 1) <= 1 << 24 else np.float64

    @property
    def plain(self) -> Operands:
        """The integers themselves: plain quantization."""
        return Operands(
            weights=[layer.weights.integers.astype(self.dtype) for layer in self.layers],
            data=self.integers.astype(self.dtype),
        )

    def run(self, pixels: np.ndarray, operands: Operands) -> tuple[np.ndarray, list[np.ndarray]]:
        """Scores of the classes for each image, and the integer inputs of each layer.

        A layer computes ``(unfold(data) @ weights) * scales + bias``: the product is exact, the rest is in float64.
        """
        x, seen = pixels.reshape(-1, *self.image), []
        largest = (1 << self.width - 1) - 1
        for layer, weights in zip(self.layers, operands.weights, strict=True):
            x = x if layer is self.layers[0] else rectified(x)
            quotients = nearest_quotient(x.astype(np.float64), layer.input_scale)
            integers = np.clip(quotients, -largest, largest).astype(np.int32)
            seen.append(integers)
            rows = layer.window.unfold(operands.data[integers + (largest + 1)])
            sums = (rows @ weights) * (layer.weights.scale * layer.input_scale) + layer.bias
            x = layer.window.outputs(sums, x.shape)
        return x, seen


def quantized(network: Network, images: np.ndarray, width: int, by_channel: bool = False) -> QuantizedNetwork:
    """Quantize a trained network, symmetrically, to nearest, ties to even.

    The images determine the scale of the inputs of each layer: their largest magnitude in FP32. With ``by_channel``,
    each output of a layer has its own scale of weights.
    """
    layers = []
    for layer, inputs in zip(network.layers, _inputs(network, images), strict=True):
        size = layer.window.size**2 if isinstance(layer.window, Convolution) else 1
        layers.append(
            QuantizedLayer(
                window=layer.window,
                weights=quantize_integers(layer.weights, width, channel=1 if by_channel else None),
                bias=layer.bias,
                input_scale=float(quantize_integers(inputs, width).scale.item()),
                order=np.arange(len(layer.weights)).reshape(-1, size).T.ravel(),
            )
        )
    return QuantizedNetwork(image=network.image, layers=tuple(layers), width=width)


def _inputs(network: Network, pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Inputs of every layer, in FP32."""
    x = pixels.reshape(-1, *network.image)
    for layer in network.layers:
        yield x
        x = rectified(layer.forward(x, FP32))
