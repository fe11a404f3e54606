"""How many pairs of terms a product takes, in a quantized network."""

import math
from collections.abc import Iterator

import numpy as np

from lowtide_studies.term_revealing.quantized import QuantizedNetwork
from lowtide_studies.term_revealing.revealed import OperandDigits
from lowtide_studies.term_revealing.setting import Setting

__all__ = ["pairs_at_most", "pairs_present", "plain_pairs"]


def plain_pairs(width: int) -> int:
    """Pairs a product of plain quantization, ``(width - 1)**2``: every bit of one magnitude by every bit of the other.

    It is what hardware for terms takes without revealing, whatever the values.
    """
    return (width - 1) ** 2


def pairs_present(network: QuantizedNetwork, seen: list[np.ndarray], digits: OperandDigits) -> float:
    """Mean pairs of terms that are really there, a product.

    All products of a layer count, those with a zero too. Over rows ``m``, reduction ``k`` and outputs ``n``:
    ``sum(data_terms[m, k] * weight_terms[k, n])`` over the number of ``(m, k, n)``.

    Parameters
    ----------
    network : QuantizedNetwork
        Of which layers give the windows.
    seen : list of array of int
        Integers that each layer got, as `QuantizedNetwork.run` gives them.
    digits : OperandDigits
        What is multiplied.
    """
    middle = len(digits.data) // 2
    data_terms = np.count_nonzero(digits.data, axis=-1)
    pairs = 0
    for layer, integers, weights in zip(network.layers, seen, digits.weights, strict=True):
        # Summed over images first: windows of sums are sums of windows.
        over_images = data_terms[integers + middle].sum(axis=0, keepdims=True)
        pairs += layer.window.unfold(over_images).sum(axis=0) @ np.count_nonzero(weights, axis=-1).sum(axis=1)
    return float(pairs / sum(_products(network, seen)))


def pairs_at_most(network: QuantizedNetwork, seen: list[np.ndarray], setting: Setting) -> float:
    """Most pairs a product with short groups counted: ``ceil(K / g) * k * s / K``, weighed by products of layers.

    A layer whose reduction ``K`` is no multiple of ``g`` takes the time of a whole group for its last one.
    """
    products = list(_products(network, seen))
    lengths = [len(layer.order) for layer in network.layers]
    pairs = [
        count * math.ceil(length / setting.group) * setting.budget * setting.data_terms / length
        for count, length in zip(products, lengths, strict=True)
    ]
    return sum(pairs) / sum(products)


def _products(network: QuantizedNetwork, seen: list[np.ndarray]) -> Iterator[int]:
    """Products of each layer."""
    for layer, integers in zip(network.layers, seen, strict=True):
        places = len(layer.window.unfold(integers[:1]))
        yield len(integers) * places * layer.weights.integers.size
