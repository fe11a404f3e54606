"""Selection of the largest terms, per value or per group, and queues of the selected terms."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide_model.bfp_tensor import LEGAL_GROUPS
from lowtide_model.terms.encoding import digits_array, digits_of

__all__ = ["LEGAL_COUNTS", "TermQueue", "receding_water", "term_queue", "top_terms"]

LEGAL_COUNTS = range(2**20 + 1)
"""Legal numbers of terms to keep; the maximum exceeds the terms of any group."""


def top_terms(digits: np.ndarray, s: int) -> np.ndarray:
    """The ``s`` largest terms of each value.

    Parameters
    ----------
    digits : array of int8, shape (..., digits)
        Digit ``i`` weighs ``2**i``.
    s : int
        Terms to keep, from 0 to ``2**20``.

    Returns
    -------
    array of int8, shape of ``digits``
        Kept digits; the others are zero.
    """
    digits, s = digits_array(digits), whole_number("s", s, LEGAL_COUNTS)
    from_top = np.cumsum((digits != 0)[..., ::-1], axis=-1)[..., ::-1]
    return np.where(from_top <= s, digits, np.int8(0))


def receding_water(digits: np.ndarray, k: int, group: int) -> np.ndarray:
    """The ``k`` largest terms of each group of values; among equal terms, the lowest index wins.

    The waterline recedes one exponent at a time, and every term on it is kept. On the last plane, terms are kept in
    order of their index until there are ``k``. Signs do not matter. The last group may be short.

    Parameters
    ----------
    digits : array of int8, shape (..., values, digits)
        Digits; a group is consecutive values.
    k : int
        Terms to keep per group, from 0 to ``2**20``.
    group : int
        Values per group, from 1 to ``2**20``.

    Returns
    -------
    array of int8, shape of ``digits``
        Kept digits; the others are zero.
    """
    digits, k = digits_array(digits, 2), whole_number("k", k, LEGAL_COUNTS)
    group = whole_number("group", group, LEGAL_GROUPS)
    ordered = in_waterline_order(digits, group)
    kept = np.where(np.cumsum(ordered != 0, axis=-1) <= k, ordered, np.int8(0))
    *outer, values, count = digits.shape
    by_value = kept.reshape(*outer, -1, count, group)[..., ::-1, :].swapaxes(-1, -2)
    return by_value.reshape(*outer, -1, count)[..., :values, :]


def in_waterline_order(digits: np.ndarray, group: int) -> np.ndarray:
    """Digits of each group in the order of the receding waterline: the highest exponent first, then by index.

    Returns
    -------
    array of int8, shape (..., groups, digits * group)
        Digits; the last group is padded with zeros.
    """
    group = whole_number("group", group, LEGAL_GROUPS)
    *outer, values, count = digits.shape
    padded = np.pad(digits, [(0, 0)] * len(outer) + [(0, -values % group), (0, 0)])
    planes = padded.reshape(*outer, -1, group, count).swapaxes(-1, -2)[..., ::-1, :]
    return planes.reshape(*outer, planes.shape[-3], count * group)


@attrs.frozen(kw_only=True, eq=False)
class TermQueue:
    """The ``k`` largest terms of each group, the largest first, padded with zero words.

    Parameters
    ----------
    exponent, index, negative, nonzero : arrays of int64, shape (..., groups, k)
        Members of `lowtide.formats.terms.TermLayout`.
    """

    exponent: np.ndarray
    index: np.ndarray
    negative: np.ndarray
    nonzero: np.ndarray


def term_queue(values: Any, *, width: int, group: int, budget: int, encoding: str = "hese") -> TermQueue:
    """Term queues of weights, grouped along the last axis.

    The parameters are the parameters of `reveal_weights`. The terms of a queue add up to its results.
    """
    budget = whole_number("budget", budget, LEGAL_COUNTS)
    group = whole_number("group", group, LEGAL_GROUPS)
    digits = digits_of(values, width, encoding)
    if digits.ndim < 2:
        raise IllegalValue("values", "an array of one dimension or more", values)
    ordered = in_waterline_order(digits, group)
    order = np.argsort(ordered == 0, axis=-1, kind="stable")[..., :budget]
    order = np.pad(order, [(0, 0)] * (order.ndim - 1) + [(0, budget - order.shape[-1])])
    chosen = np.take_along_axis(ordered, order, axis=-1)
    chosen[..., ordered.shape[-1] :] = 0  # the budget exceeds the number of digits
    nonzero = chosen != 0
    plane, index = np.divmod(order, group)
    return TermQueue(
        exponent=np.where(nonzero, digits.shape[-1] - 1 - plane, 0),
        index=np.where(nonzero, index, 0),
        negative=(chosen < 0).astype(np.int64),
        nonzero=nonzero.astype(np.int64),
    )
