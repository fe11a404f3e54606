"""Rounding modes of a tensor: look up the function that rounds exact, scaled values to integers."""

from collections.abc import Callable
from typing import cast

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import legal_text
from lowtide_model.stochastic import GivenWords, Rounding, RoundingMethod

__all__ = ["ROUNDINGS", "random_bits", "rounding_of"]


def _away(values: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Round to nearest, ties away from zero.

    The addend is the largest float below one half. Its sum with ``k + 1/2`` rounds up to ``k + 1``; its sum with any
    smaller number stays below ``k + 1``.
    """
    below_half = np.nextafter(values.dtype.type(0.5), values.dtype.type(0))
    return np.trunc(values + np.copysign(below_half, values), out=out)


# Each function rounds an array of exact values in place, by magnitude: f(-x) is -f(x).
ROUNDINGS: dict[str, Callable[..., np.ndarray]] = {
    "truncate": np.trunc,  # floor(|f|)
    "nearest": _away,  # floor(|f| + 1/2)
    "nearest_even": np.rint,  # to nearest, ties to even
}


def rounding_of(rounding: str | RoundingMethod, shape: tuple[int, ...], groups_in_row: int) -> Rounding:
    """The function that rounds a tensor of shape ``(n, group, inner)``, with ``groups_in_row`` groups per row.

    Raises
    ------
    ValueError
        If the rounding is unknown, or does not fit the groups.
    """
    if isinstance(rounding, GivenWords):
        rounding.check(shape)
    if isinstance(getattr(rounding, "bits", None), int) and callable(getattr(rounding, "on", None)):
        return cast(RoundingMethod, rounding).on(groups_in_row, *shape[1:])
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        others = "" if isinstance(rounding, str) else ", or a Stochastic, GivenWords, OneWord or Ideal"
        raise IllegalValue("rounding", legal_text([*ROUNDINGS]) + others, rounding)
    function = ROUNDINGS[rounding]
    return lambda values, _: function(values, out=values)


def random_bits(rounding: str | RoundingMethod) -> int:
    """Width in bits of the random numbers that a rounding uses; 0 if it uses none."""
    return 0 if isinstance(rounding, str) else rounding.bits
