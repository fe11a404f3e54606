"""Term revealing in a quantized network: settings, kept digits, and pairs of terms per product."""

import math
from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np

from lowtide.formats.parameter import parameter
from lowtide.formats.terms import ENCODINGS
from lowtide_model.terms import digits_of, receding_water, top_terms, value_of
from lowtide_studies.term_revealing.quantized import Operands, QuantizedNetwork

__all__ = [
    "GROUPS",
    "OperandDigits",
    "Setting",
    "keep_data",
    "keep_weights",
    "mean_bound",
    "mean_pairs",
    "pairs_at_most",
    "pairs_present",
    "plain_pairs",
    "reveal",
    "settings",
]

GROUPS = (1, 2, 4, 8, 16, 32)
BUDGETS = (0.25, 0.5, 0.75, 1, 1.125, 1.25, 1.375, 1.5, 1.75, 2, 2.5, 3, 4)
DATA_TERMS = (1, 2, 3, 4)
"""``g``, ``k / g`` for integer ``k``, and ``s`` of a study."""


@attrs.frozen(kw_only=True, order=True)
class Setting:
    """Parameters of term revealing.

    Parameters
    ----------
    encoding : str
        Digits of magnitudes, of weights and data.
    group, budget : int
        Weights per group along the reduction, ``g``, and kept terms per group, ``k``.
    data_terms : int
        Kept terms per value of the data, ``s``.
    """

    encoding: str = parameter("hese", ENCODINGS, "digits of a magnitude")
    group: int = parameter(8, range(1, 65), "values of a group, g")
    budget: int = parameter(16, range(1, 1025), "terms per group, k")
    data_terms: int = parameter(4, range(1, 17), "terms a value of the data keeps, s")

    @property
    def cycles(self) -> float:
        """Cycles per product, ``k / g``, of an element that takes one term of a weight per cycle."""
        return self.budget / self.group

    @property
    def bound(self) -> float:
        """Upper bound of pairs per product, ``k * s / g``: cycles of an element that takes one pair per cycle."""
        return self.cycles * self.data_terms

    def __str__(self) -> str:
        return f"{self.encoding} g={self.group} k={self.budget} s={self.data_terms}"


def settings(
    encodings: Sequence[str] = ENCODINGS,
    groups: Sequence[int] = GROUPS,
    budgets: Sequence[float] = BUDGETS,
    data_terms: Sequence[int] = DATA_TERMS,
) -> Iterator[Setting]:
    """All combinations; settings with equal weights are in sequence."""
    for encoding in encodings:
        for group in groups:
            for budget in budgets:
                if budget * group == int(budget * group):
                    for terms in data_terms:
                        yield Setting(encoding=encoding, group=group, budget=int(budget * group), data_terms=terms)


@attrs.frozen(kw_only=True, eq=False)
class OperandDigits:
    """Digits of all operands, in {-1, 0, +1}; digit ``i``, on the last axis, weighs ``2**i``.

    Parameters
    ----------
    weights : list of array of int8, shape (inputs of a row, outputs, digits)
        Of each layer.
    data : array of int8, shape (2**width, digits)
        Of each integer, in the order of `Operands.data`.
    dtype : type
        Of the operands.
    """

    weights: list[np.ndarray]
    data: np.ndarray
    dtype: type[np.floating]

    @classmethod
    def of(cls, network: QuantizedNetwork, encoding: str) -> "OperandDigits":
        """All digits of a quantized network."""
        return cls(
            weights=[digits_of(layer.weights.integers, network.width, encoding) for layer in network.layers],
            data=digits_of(network.integers, network.width, encoding),
            dtype=network.dtype,
        )

    @property
    def operands(self) -> Operands:
        """Operands with these digits."""
        return Operands(
            weights=[value_of(digits).astype(self.dtype) for digits in self.weights],
            data=value_of(self.data).astype(self.dtype),
        )


def reveal(network: QuantizedNetwork, setting: Setting) -> OperandDigits:
    """The digits that a setting keeps, as in the operands of `lowtide_model.terms.term_matmul`."""
    digits = OperandDigits.of(network, setting.encoding)
    return attrs.evolve(
        digits,
        weights=keep_weights(network, digits, setting.group, setting.budget),
        data=keep_data(digits, setting.data_terms),
    )


def keep_weights(network: QuantizedNetwork, digits: OperandDigits, group: int, budget: int) -> list[np.ndarray]:
    """The ``budget`` largest terms of each group of weights, along the reduction in the layer's own order."""
    kept = []
    for layer, all_ in zip(network.layers, digits.weights, strict=True):
        left = np.empty_like(all_)
        left[layer.order] = receding_water(all_[layer.order].swapaxes(0, 1), budget, group).swapaxes(0, 1)
        kept.append(left)
    return kept


def keep_data(digits: OperandDigits, terms: int) -> np.ndarray:
    """The largest terms of each integer."""
    return top_terms(digits.data, terms)


def plain_pairs(width: int) -> int:
    """Pairs per product of plain quantization, ``(width - 1)**2``: all bits of one magnitude by all of the other.

    Hardware for terms needs this number without term revealing, for any values.
    """
    return (width - 1) ** 2


def mean_pairs(layers: Iterable[tuple[np.ndarray, np.ndarray, int]]) -> float:
    """Mean pairs of terms per product, over all products of all layers.

    Parameters
    ----------
    layers : iterable of (array of shape (K,), array of shape (K,), int)
        Terms of the data at each place of the reduction, summed over rows; terms of the weights, summed over outputs;
        and products.
    """
    pairs, products = 0.0, 0
    for data, weights, count in layers:
        pairs += float(data @ weights)
        products += count
    return pairs / products


def mean_bound(layers: Iterable[tuple[int, int]], setting: Setting) -> float:
    """Upper bound of pairs per product with short groups: mean of ``ceil(K / g) * k * s / K`` over products.

    A layer whose reduction ``K`` is not a multiple of ``g`` spends the time of a whole group on its last group.

    Parameters
    ----------
    layers : iterable of (int, int)
        Reduction and products of each layer.
    setting : Setting
        Parameters of term revealing.
    """
    pairs = products = 0
    for length, count in layers:
        pairs += count * math.ceil(length / setting.group) * setting.budget * setting.data_terms / length
        products += count
    return pairs / products


def pairs_present(network: QuantizedNetwork, seen: list[np.ndarray], digits: OperandDigits) -> float:
    """Mean pairs of nonzero terms per product, with the integer inputs of each layer from `QuantizedNetwork.run`.

    All products of a layer count, including products with a zero. Over rows ``m``, reduction ``k`` and outputs ``n``:
    ``sum(data_terms[m, k] * weight_terms[k, n])`` over the number of ``(m, k, n)``.
    """
    middle = len(digits.data) // 2
    data_terms = np.count_nonzero(digits.data, axis=-1)
    layers = []
    counts = _products(network, seen)
    for layer, integers, weights, count in zip(network.layers, seen, digits.weights, counts, strict=True):
        # Summed over images first: windows of sums are sums of windows.
        over_images = data_terms[integers + middle].sum(axis=0, keepdims=True)
        rows = layer.window.unfold(over_images).sum(axis=0)
        layers.append((rows, np.count_nonzero(weights, axis=-1).sum(axis=1), count))
    return mean_pairs(layers)


def pairs_at_most(network: QuantizedNetwork, seen: list[np.ndarray], setting: Setting) -> float:
    """Upper bound of pairs per product with short groups: `mean_bound` of all layers."""
    lengths = [len(layer.order) for layer in network.layers]
    return mean_bound(zip(lengths, _products(network, seen), strict=True), setting)


def _products(network: QuantizedNetwork, seen: list[np.ndarray]) -> Iterator[int]:
    """Products of each layer."""
    for layer, integers in zip(network.layers, seen, strict=True):
        places = len(layer.window.unfold(integers[:1]))
        yield len(integers) * places * layer.weights.integers.size
