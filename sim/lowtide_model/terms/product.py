"""Revealed terms of data and weights, and their products."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.arrays import array_of, axis_of
from lowtide_model.terms.encoding import digits_of, value_of
from lowtide_model.terms.selection import LEGAL_COUNTS, receding_water, top_terms

__all__ = ["reveal_data", "reveal_weights", "term_matmul"]


def reveal_weights(
    values: Any, *, width: int, group: int, budget: int, encoding: str = "hese", axis: int = -1
) -> np.ndarray:
    """Reduce weights to the ``budget`` largest terms of each group.

    Parameters
    ----------
    values : array of int
        Integers of ``width`` bits in two's complement.
    width, encoding
        See `digits_of`.
    group, budget : int
        ``g`` and ``k``.
    axis : int
        Reduction axis, along which weights are grouped; the last group may be short.

    Returns
    -------
    array of int64, shape of ``values``
        At most ``2**(digits - 1)`` in magnitude: 127 with one term becomes 128.
    """
    budget = whole_number("budget", budget, LEGAL_COUNTS)
    digits = digits_of(values, width, encoding)
    axis = axis_of("axis", axis, digits.ndim - 1)
    return np.moveaxis(value_of(receding_water(np.moveaxis(digits, axis, -2), budget, group)), -1, axis)


def reveal_data(values: Any, *, width: int, terms: int, encoding: str = "hese") -> np.ndarray:
    """Reduce data to the ``terms`` largest terms of each value; int64. See `reveal_weights`."""
    terms = whole_number("terms", terms, LEGAL_COUNTS)
    return value_of(top_terms(digits_of(values, width, encoding), terms))


def term_matmul(
    a: Any, b: Any, *, width: int, group: int, budget: int, data_terms: int, encoding: str = "hese"
) -> np.ndarray:
    """Reveal data ``a`` (M × K) and weights ``b`` (K × N), and multiply them.

    Parameters
    ----------
    a, b : arrays of int
        Integers of ``width`` bits in two's complement.
    width, encoding
        See `digits_of`.
    group, budget, data_terms : int
        ``g`` and ``k`` of the weights, along K, and ``s`` of the data.

    Returns
    -------
    array of int64, shape (M, N)
        The product.

    Raises
    ------
    ValueError
        If the operands are not matrices, do not multiply, or `digits_of` rejects them.
    """
    a, b = array_of("a", a), array_of("b", b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"a and b must be matrices that multiply, not of shapes {a.shape} and {b.shape}")
    data_terms = whole_number("data_terms", data_terms, LEGAL_COUNTS)
    data = reveal_data(a, width=width, terms=data_terms, encoding=encoding)
    weights = reveal_weights(b, width=width, group=group, budget=budget, encoding=encoding, axis=0)
    return data @ weights
