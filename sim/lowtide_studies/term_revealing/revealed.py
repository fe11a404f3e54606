"""Digits of the operands of a quantized network: all digits, or the digits that term revealing keeps."""

import attrs
import numpy as np

from lowtide_model.terms import digits_of, receding_water, top_terms, value_of
from lowtide_studies.term_revealing.quantized import Operands, QuantizedNetwork
from lowtide_studies.term_revealing.setting import Setting

__all__ = ["OperandDigits", "keep_data", "keep_weights", "reveal"]


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
    """The ``terms`` largest terms of each integer."""
    return top_terms(digits.data, terms)
