"""Revealing: what is left of weights and of data."""

from typing import Any

import numpy as np

from lowtide_sim.golden.terms.encoding import digits_of, value_of
from lowtide_sim.golden.terms.selection import receding_water, top_terms

__all__ = ["reveal_data", "reveal_weights"]


def reveal_weights(
    values: Any, *, width: int, group: int, budget: int, encoding: str = "hese", axis: int = -1
) -> np.ndarray:
    """Weights with the ``budget`` largest terms of each group.

    Parameters
    ----------
    values : array of int
        Integers of ``width`` bits in two's complement.
    width, encoding
        As of `digits_of`.
    group, budget : int
        ``g`` and ``k``.
    axis : int
        The axis of the reduction, along which groups lie; a last group may be short.

    Returns
    -------
    array of int64, of the same shape
        At most ``2**(digits - 1)`` in magnitude: 127 with one term is 128.
    """
    digits = np.moveaxis(digits_of(values, width, encoding), axis - (axis < 0), -2)
    return np.moveaxis(value_of(receding_water(digits, budget, group)), -1, axis)


def reveal_data(values: Any, *, width: int, terms: int, encoding: str = "hese") -> np.ndarray:
    """Data with the ``terms`` largest terms of each value, int64; as `reveal_weights` otherwise."""
    return value_of(top_terms(digits_of(values, width, encoding), terms))
