"""Rounding modes: how an exact, scaled value becomes an integer magnitude."""

from collections.abc import Callable
from typing import cast

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import legal_text
from lowtide_model.stochastic import GivenWords, Rounding, Rounds

__all__ = ["ROUNDINGS", "random_bits", "rounding_of"]


def _away(values: np.ndarray, out: np.ndarray) -> np.ndarray:
    """To nearest, ties away from zero.

    What is added is the number below one half. The sum of it and ``k + 1/2`` rounds up to ``k + 1``, and that of it and
    any smaller number stays below.
    """
    below_half = np.nextafter(values.dtype.type(0.5), values.dtype.type(0))
    return np.trunc(values + np.copysign(below_half, values), out=out)


# Round an array of exact values in place. Values are rounded by magnitude: f(-x) is -f(x).
ROUNDINGS: dict[str, Callable[..., np.ndarray]] = {
    "truncate": np.trunc,  # floor(|f|)
    "nearest": _away,  # floor(|f| + 1/2)
    "nearest_even": np.rint,  # the same, but ties to even
}


def rounding_of(rounding: str | Rounds, shape: tuple[int, ...], groups_in_row: int) -> Rounding:
    """What rounds the blocks of a tensor in groups of a shape ``(n, group, inner)``, of so many groups a row.

    Raises
    ------
    ValueError
        If there is no such rounding, or it does not fit the groups.
    """
    if isinstance(rounding, GivenWords):
        rounding.check(shape)
    if isinstance(getattr(rounding, "bits", None), int) and callable(getattr(rounding, "on", None)):
        return cast(Rounds, rounding).on(groups_in_row, *shape[1:])
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        others = "" if isinstance(rounding, str) else ", or a Stochastic, GivenWords, OneWord or Ideal"
        raise IllegalValue("rounding", legal_text([*ROUNDINGS]) + others, rounding)
    function = ROUNDINGS[rounding]
    return lambda values, _: function(values, out=values)


def random_bits(rounding: str | Rounds) -> int:
    """Bits of the random numbers by which it rounds."""
    return 0 if isinstance(rounding, str) else rounding.bits
