"""What a random source is generated for, and how its lanes differ."""

import re
from itertools import pairwise
from math import gcd
from numbers import Integral
from typing import Any, cast

import attrs

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.random.taps import TAPS, is_maximal

__all__ = ["RandomSourceParams"]

MOST_UNIFORM = 6
"""Most bits of a generator with all words: every bit of a word, however far ahead, is one function of them, a LUT6."""


def _taps(value: Any) -> Any:
    """Taps as a tuple, where they are written as a list or, on the command line, as ``3,1``."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*", value):
        return tuple(int(tap) for tap in value.split(","))
    if isinstance(value, list | tuple):
        return tuple(int(tap) if isinstance(tap, Integral) and not isinstance(tap, bool) else tap for tap in value)
    return value


@attrs.frozen(kw_only=True)
class RandomSourceParams:
    """What a random source is generated for.

    Parameters
    ----------
    bits : int
        Bits of the generator, a linear feedback shift register of maximal length.
    width : int
        Bits of a word, ``r``: the low ones of the state. At most ``bits``.
    taps : tuple of int or str
        Exponents of the generator's polynomial but for the 1, from ``bits`` down: ``(3, 1)`` for ``x**3 + x + 1``.
        ``default`` takes those of `TAPS`.
    seed : int
        State after reset, from 1 to ``2**bits - 1``: zero would stay zero.
    polarity : str
        - ``plain``: words as they are; zero is never among the states.
        - ``inverted``: words with all bits inverted.
        - ``time``: every second word inverted.
        - ``space``: as ``time``, and odd lanes are inverted against even ones.
        - ``uniform``: the state zero is inserted into the sequence, so that all words come equally often. Up to
          6 bits.
    lanes : int
        Lanes that are served. Lanes 2j and 2j + 1 of ``space`` share a phase of the generator, all others have a
        phase of their own.
    rows : bool
        Whether ``row`` marks the ends of rows, so that no column of data, of whatever width, is locked to a word. For
        generators whose period is short against the data: words come again along the diagonals.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, the taps are not maximal, or there are more lanes than phases.
    """

    bits: int = parameter(3, range(2, 33), "bits of the generator")
    width: int = parameter(3, range(1, 33), "bits of a word, at most those of the generator")
    taps: Any = attrs.field(
        default="default",
        converter=_taps,
        metadata={"legal": ("default", "exponents from bits down, as in 3,1"), "meaning": "taps of maximal length"},
    )
    seed: int = parameter(1, range(1, 2**32), "state after reset, below 2**bits", because="zero would stay zero")
    polarity: str = parameter("space", ("plain", "inverted", "time", "space", "uniform"), "which words are inverted")
    lanes: int = parameter(14, range(1, 1025), "lanes served, each with a phase or polarity of its own")
    rows: bool = parameter(False, (False, True), "break the lock to the width of rows")

    def __attrs_post_init__(self):
        if self.polarity == "uniform" and self.bits > MOST_UNIFORM:
            raise IllegalValue("bits", f"from 2 to {MOST_UNIFORM} for polarity = uniform", self.bits)
        if self.width > self.bits:
            raise IllegalValue("width", f"from 1 to {self.bits} (no more than bits = {self.bits})", self.width)
        if self.seed >= 2**self.bits:
            raise IllegalValue("seed", f"from 1 to {2**self.bits - 1} (below 2**bits, bits = {self.bits})", self.seed)
        if self.lanes > self.most_lanes:
            legal = f"from 1 to {self.most_lanes} (for bits = {self.bits}, polarity = {self.polarity})"
            raise IllegalValue("lanes", legal, self.lanes)
        self._check_taps()

    def _check_taps(self) -> None:
        legal = f"default, or exponents from bits = {self.bits} down to 1 at least"
        exponents = self.exponents
        if not isinstance(exponents, tuple) or not all(type(tap) is int for tap in exponents):
            raise IllegalValue("taps", legal, self.taps)
        falling = all(one > other for one, other in pairwise(exponents))
        if exponents[:1] != (self.bits,) or not falling or exponents[-1] < 1:
            raise IllegalValue("taps", legal, self.taps)
        if exponents != TAPS[self.bits] and not is_maximal(exponents):
            known = ",".join(map(str, TAPS[self.bits]))
            raise IllegalValue("taps", f"of maximal length, as {known} are", ",".join(map(str, exponents)))

    @property
    def exponents(self) -> tuple[int, ...]:
        """The taps, those of the table where they are left to it."""
        if isinstance(self.taps, str) and self.taps == "default":
            return TAPS[self.bits]
        return cast("tuple[int, ...]", self.taps)  # anything else is refused by `_check_taps`

    @property
    def states(self) -> int:
        """States that the generator runs through."""
        return 2**self.bits - (self.polarity != "uniform")

    @property
    def alternates(self) -> bool:
        """Whether every second word is inverted."""
        return self.polarity in ("time", "space")

    @property
    def period(self) -> int:
        """Words after which a lane's words come again, and rows after which a column's do."""
        return self.states * (2 if self.alternates else 1)

    @property
    def most_lanes(self) -> int:
        """Most lanes that can be told apart: one a phase, or two of opposite polarity."""
        return self.states * (2 if self.polarity == "space" else 1)

    @property
    def stride(self) -> int:
        """Steps from the phase of a lane, or of a pair of lanes, to that of the next.

        One where lanes come in pairs whose words are each other's inverse: what neighboring phases have in common
        cancels within a pair. Otherwise no two words of a cycle have a bit in common, as far as the period goes.
        """
        if self.polarity == "space":
            return 1
        return next(step for step in range(self.width, self.states + self.width) if gcd(step, self.states) == 1)

    def phase(self, lane: int) -> int:
        """Steps by which a lane is ahead of the generator's state."""
        return (lane // 2 if self.polarity == "space" else lane) * self.stride % self.states

    def inverts(self, lane: int) -> bool:
        """Whether a lane's words are inverted, beside what alternates."""
        return self.polarity == "inverted" or (self.polarity == "space" and lane % 2 == 1)
