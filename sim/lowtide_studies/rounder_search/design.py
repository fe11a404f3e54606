"""A stochastic rounding unit in the search."""

import attrs
import numpy as np

from lowtide.errors import LowtideError
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.rounding.params import RounderParams
from lowtide_model.random_source import bits_from

__all__ = ["FRACTION", "GROUP", "Design", "SearchError"]

FRACTION = 24
"""Bits of the exact fraction at the input of each unit, as in an FP32 significand."""
GROUP = 16
"""Lanes of a group, which are rounded in one step."""


@attrs.frozen(kw_only=True)
class Design:
    """A random source and its rounders; a group of 16 lanes has several sources.

    Parameters
    ----------
    bits : int
        Bits of the generator.
    taps : tuple of int
        Taps, as in `RandomSourceParams`.
    polarity : str
        Inversion of words, as in `RandomSourceParams`.
    width : int
        Bits of a word, ``r``.
    lanes : int
        Lanes that one generator serves; a divisor of the group's 16.
    apart : int
        Steps of the generator between the seeds of consecutive sources of a group.
    mode : str
        Rule of the rounders: ``carry`` or ``half_step``.
    fraction : int
        Bits of the fraction at the rounder, ``D``; further bits are cut off.
    rows : bool
        Whether the generator has row ends.
    """

    bits: int
    taps: tuple[int, ...]
    polarity: str
    width: int
    lanes: int
    apart: int
    mode: str
    fraction: int
    rows: bool = False

    @property
    def source(self) -> RandomSourceParams:
        """The first source of a group."""
        return self._source(1)

    @property
    def sources(self) -> tuple[RandomSourceParams, ...]:
        """All sources of a group, the lower lanes' first; the first starts from 1."""
        return tuple(self._source(self._seed(number * self.apart)) for number in range(GROUP // self.lanes))

    @property
    def rounder(self) -> RounderParams:
        """The rounder of a lane, whose decision does not depend on the integer's width."""
        return RounderParams(mode=self.mode, width=1, fraction=self.fraction, random=self.width)

    @property
    def seen(self) -> int:
        """Bits of the fraction that can change a decision."""
        return min(self.fraction, self.width + (self.mode == "half_step"))

    def __str__(self) -> str:
        word = "" if self.width == self.bits else f", {self.width} of them a word"
        taps = ",".join(map(str, self.taps))
        lanes = f"{self.lanes} lane{'s' * (self.lanes > 1)}"
        return f"{self.bits} bits{word}, taps {taps}, {self.polarity}, {lanes}, {self.mode}, D = {self.fraction}"

    def _seed(self, place: int) -> int:
        """The state at a place of the sequence, or the next state in place of zero, which is not a legal seed."""
        source = self.source
        states = (bits_from(source, at % source.states, self.bits) for at in (place, place + 1))
        return next(int(state @ (1 << np.arange(self.bits))) for state in states if state.any())

    def _source(self, seed: int) -> RandomSourceParams:
        return RandomSourceParams(
            bits=self.bits,
            width=self.width,
            taps=self.taps,
            seed=seed,
            polarity=self.polarity,
            lanes=self.lanes,
            rows=self.rows,
        )


class SearchError(LowtideError):
    """A search failed; the message is one line."""
