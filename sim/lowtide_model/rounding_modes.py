"""Rounding modes of a tensor: look up the function that rounds exact, scaled values to integers."""

from collections.abc import Callable
from typing import cast

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import legal_text
from lowtide_model.rounding import Grouped, Rounding, by_addition
from lowtide_model.stochastic import RoundingMethod

__all__ = ["ROUNDINGS", "random_bits", "rounding_of"]

ONE = np.array(1, np.int16)

ROUNDINGS: dict[str, Callable[[Grouped], Rounding]] = {
    "truncate": lambda _: Rounding(0, lambda values, _: np.trunc(values, out=values)),  # floor(|f|)
    "nearest": lambda tensor: by_addition(tensor, 1, lambda _: ONE),  # floor(|f| + 1/2): ties away from zero
    "nearest_even": lambda _: Rounding(0, lambda values, _: np.rint(values, out=values)),  # to nearest, ties to even
}


def rounding_of(rounding: str | RoundingMethod, tensor: Grouped) -> Rounding:
    """The rounding of a tensor.

    Raises
    ------
    ValueError
        If the rounding is unknown, or does not fit the groups.
    """
    if isinstance(getattr(rounding, "bits", None), int) and callable(getattr(rounding, "on", None)):
        return cast(RoundingMethod, rounding).on(tensor)
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        others = "" if isinstance(rounding, str) else ", or a Stochastic, GivenWords, OneWord or Ideal"
        raise IllegalValue("rounding", legal_text([*ROUNDINGS]) + others, rounding)
    return ROUNDINGS[rounding](tensor)


def random_bits(rounding: str | RoundingMethod) -> int:
    """Width in bits of the random numbers that a rounding uses; 0 if it uses none."""
    return 0 if isinstance(rounding, str) else rounding.bits
