"""Pairs of terms per product in a quantized network."""

import math
from collections.abc import Iterator

import numpy as np

from lowtide_studies.term_revealing.quantized import QuantizedNetwork
from lowtide_studies.term_revealing.revealed import OperandDigits
from lowtide_studies.term_revealing.setting import Setting

__all__ = ["pairs_at_most", "pairs_present", "plain_pairs"]


def plain_pairs(width: int) -> int:
    """Pairs per product of plain quantization, ``(width - 1)**2``: all bits of one magnitude by all of the other.

    Hardware for terms needs this number without term revealing, for any values.
    """
    return (width - 1) ** 2


def pairs_present(network: QuantizedNetwork, seen: list[np.ndarray], digits: OperandDigits) -> float:
    """Mean pairs of nonzero terms per product.

    All products of a layer count, including products with a zero. Over rows ``m``, reduction ``k`` and outputs ``n``:
    ``sum(data_terms[m, k] * weight_terms[k, n])`` over the number of ``(m, k, n)``.

    Parameters
    ----------
    network : QuantizedNetwork
        Network whose layers define the windows.
    seen : list of array of int
        Integer inputs of each layer, from `QuantizedNetwork.run`.
    digits : OperandDigits
        Digits of the operands.
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
    """Upper bound of pairs per product with short groups: mean of ``ceil(K / g) * k * s / K`` over products.

    A layer whose reduction ``K`` is not a multiple of ``g`` spends the time of a whole group on its last group.
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
