"""Selection: which terms are kept, of one value or of a group."""

import numpy as np

from lowtide.formats.parameter import whole_number
from lowtide_model.bfp_tensor import LEGAL_GROUPS
from lowtide_model.terms.encoding import digits_array

__all__ = ["LEGAL_COUNTS", "receding_water", "top_terms"]

LEGAL_COUNTS = range(2**20 + 1)
"""Terms that may be kept: more than any group here has."""


def top_terms(digits: np.ndarray, s: int) -> np.ndarray:
    """The ``s`` largest terms of each value, by itself.

    Parameters
    ----------
    digits : array of int8, shape (..., digits)
        Digit ``i`` weighs ``2**i``.
    s : int
        Terms to keep, from 0 to ``2**20``.

    Returns
    -------
    array of int8, of the same shape
        The digits that are kept, zeros for the others.
    """
    digits, s = digits_array(digits), whole_number("s", s, LEGAL_COUNTS)
    from_top = np.cumsum((digits != 0)[..., ::-1], axis=-1)[..., ::-1]
    return np.where(from_top <= s, digits, np.int8(0))


def receding_water(digits: np.ndarray, k: int, group: int) -> np.ndarray:
    """The ``k`` largest terms of each group of values; of equal ones, those of the lowest index.

    The waterline is lowered an exponent at a time and every term on it is kept, on the last line in the order of
    index until there are ``k``. A sign plays no part. A last group may be short.

    Parameters
    ----------
    digits : array of int8, shape (..., values, digits)
        Groups are of consecutive values.
    k : int
        Terms to keep in a group, from 0 to ``2**20``.
    group : int
        Values of a group, from 1 to ``2**20``.

    Returns
    -------
    array of int8, of the same shape
        The digits that are kept, zeros for the others.
    """
    digits, k = digits_array(digits, 2), whole_number("k", k, LEGAL_COUNTS)
    group = whole_number("group", group, LEGAL_GROUPS)
    lines = in_waterline_order(digits, group)
    kept = np.where(np.cumsum(lines != 0, axis=-1) <= k, lines, np.int8(0))
    *outer, values, count = digits.shape
    by_value = kept.reshape(*outer, -1, count, group)[..., ::-1, :].swapaxes(-1, -2)
    return by_value.reshape(*outer, -1, count)[..., :values, :]


def in_waterline_order(digits: np.ndarray, group: int) -> np.ndarray:
    """Digits of each group as the water meets them: the highest exponent first, then in the order of index.

    Returns
    -------
    array of int8, shape (..., groups, digits * group)
        Values that a last group lacks are zeros.
    """
    group = whole_number("group", group, LEGAL_GROUPS)
    *outer, values, count = digits.shape
    padded = np.pad(digits, [(0, 0)] * len(outer) + [(0, -values % group), (0, 0)])
    lines = padded.reshape(*outer, -1, group, count).swapaxes(-1, -2)[..., ::-1, :]
    return lines.reshape(*outer, lines.shape[-3], count * group)
