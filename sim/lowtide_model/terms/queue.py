"""Term queues: the kept terms of each group, in the order in which a processing element receives them."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide_model.bfp_tensor import LEGAL_GROUPS
from lowtide_model.terms.encoding import digits_of
from lowtide_model.terms.selection import LEGAL_COUNTS, in_waterline_order

__all__ = ["TermQueue", "term_queue"]


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
