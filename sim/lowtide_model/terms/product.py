"""Exact integer products of revealed operands."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.arrays import array_of
from lowtide_model.terms.reveal import reveal_data, reveal_weights
from lowtide_model.terms.selection import LEGAL_COUNTS

__all__ = ["term_matmul"]


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
