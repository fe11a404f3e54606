"""Term revealing of weights and of data."""

from typing import Any

import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.arrays import axis_of
from lowtide_model.terms.encoding import digits_of, value_of
from lowtide_model.terms.selection import LEGAL_COUNTS, receding_water, top_terms

__all__ = ["reveal_data", "reveal_weights"]


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
