"""What a rounder is generated for."""

import attrs

from lowtide.formats.parameter import parameter

__all__ = ["MODES", "RounderParams"]

MODES = ("truncate", "nearest", "nearest_even", "carry", "half_step")
"""When a rounder rounds up. ``nearest`` sends ties away from zero, ``nearest_even`` to even."""


@attrs.frozen(kw_only=True)
class RounderParams:
    """What a rounder is generated for.

    Parameters
    ----------
    mode : str
        - ``truncate``: never up.
        - ``nearest``: to nearest, ties away from zero.
        - ``nearest_even``: to nearest, ties to even.
        - ``carry``: up where the top bits of the fraction, added to the random word, carry.
        - ``half_step``: the same with half a unit of the word's last bit added, so that what the word cannot reach
          of the fraction is rounded and not cut off.
    width : int
        Bits of the result.
    fraction : int
        Bits of the fraction that is rounded away, ``D``.
    random : int
        Bits of a random word, ``r``. More than there are bits of fraction are allowed; the low ones then decide
        nothing, and a half step changes nothing. Ignored by modes that take no word.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    mode: str = parameter("half_step", MODES, "when it rounds up")
    width: int = parameter(4, range(1, 25), "bits of the result")
    fraction: int = parameter(8, range(1, 25), "bits of the fraction that is rounded away")
    random: int = parameter(3, range(1, 25), "bits of a random word, for carry and half_step")

    @property
    def stochastic(self) -> bool:
        """Whether the mode takes a random word."""
        return self.mode in ("carry", "half_step")
