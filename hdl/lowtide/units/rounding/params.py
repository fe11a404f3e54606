"""Parameters of a rounder."""

import attrs

from lowtide.formats.parameter import parameter

__all__ = ["MODES", "RounderParams"]

MODES = ("truncate", "nearest", "nearest_even", "carry", "half_step")
"""Rounding modes. ``nearest`` rounds ties away from zero, ``nearest_even`` to even."""


@attrs.frozen(kw_only=True)
class RounderParams:
    """Parameters of a rounder.

    Parameters
    ----------
    mode : str
        - ``truncate``: never up.
        - ``nearest``: to nearest, ties away from zero.
        - ``nearest_even``: to nearest, ties to even.
        - ``carry``: up if the sum of the fraction's top bits and the random word carries.
        - ``half_step``: ``carry`` with half a unit of the word's last bit added, so that the fraction is rounded to the
          bits of the word, not truncated.
    width : int
        Bits of the result.
    fraction : int
        Bits of the fraction, ``D``.
    random : int
        Bits of a random word, ``r``. If ``r`` exceeds ``D``, the low bits and the half step have no effect. Ignored by
        deterministic modes.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    mode: str = parameter("half_step", MODES, "rounding mode")
    width: int = parameter(4, range(1, 25), "bits of the result")
    fraction: int = parameter(8, range(1, 25), "bits of the fraction")
    random: int = parameter(3, range(1, 25), "bits of a random word, for carry and half_step")

    @property
    def stochastic(self) -> bool:
        """Whether the mode takes a random word."""
        return self.mode in ("carry", "half_step")
