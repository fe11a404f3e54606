"""Parameters of random sources, and the phases of their lanes."""

import re
from itertools import pairwise
from math import gcd
from numbers import Integral
from typing import Any, cast

import attrs

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.random.taps import TAPS, is_maximal

__all__ = ["NeighborParams", "RandomSourceParams"]

MOST_UNIFORM = 6
"""Most bits of a generator with all words, so that every bit of a word at any phase is one LUT6."""


def _taps(value: Any) -> Any:
    """Convert taps to a tuple from a list or, on the command line, from text such as ``3,1``."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*", value):
        return tuple(int(tap) for tap in value.split(","))
    if isinstance(value, list | tuple):
        return tuple(int(tap) if isinstance(tap, Integral) and not isinstance(tap, bool) else tap for tap in value)
    return value


@attrs.frozen(kw_only=True)
class RandomSourceParams:
    """Parameters of a random source.

    Parameters
    ----------
    bits : int
        Bits of the generator, a linear feedback shift register of maximal length.
    width : int
        Bits of a word, ``r``: the low bits of the state. At most ``bits``.
    taps : tuple of int or str
        Exponents of the generator's polynomial without the constant term, from ``bits`` down: ``(3, 1)`` for
        ``x**3 + x + 1``. ``default`` selects the entry of `TAPS`.
    seed : int
        State after reset, from 1 to ``2**bits - 1``: zero would stay zero.
    polarity : str
        - ``plain``: words of the generator; no state is zero.
        - ``inverted``: words with all bits inverted.
        - ``time``: every second word inverted.
        - ``space``: every second word inverted, and odd lanes inverted relative to even lanes.
        - ``uniform``: the sequence includes the state zero, so that all words are equally frequent. Up to 6 bits.
    lanes : int
        Number of lanes. With ``space``, lanes 2j and 2j + 1 share a phase of the generator; otherwise each lane has its
        own phase.
    rows : bool
        Whether ``row`` marks the ends of rows, so that no column of data is locked to a word, for any width of a row.
        For generators whose period is short compared with the data: words repeat along the diagonals.
    plateau : bool
        Whether the lowest bit of a word is inverted if all its bits and the next bit of the sequence are equal. A long
        generator has all words equally often. With this, half of the words zero become one, and half of the words
        ``2**r - 1`` become ``2**r - 2``. Inverse words remain inverse.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, the taps are not maximal, or there are more lanes than phases.
    """

    bits: int = parameter(3, range(2, 33), "bits of the generator")
    width: int = parameter(3, range(1, 33), "bits of a word, at most the bits of the generator")
    taps: Any = attrs.field(
        default="default",
        converter=_taps,
        metadata={"legal": ("default", "exponents from bits down, as in 3,1"), "meaning": "taps of maximal length"},
    )
    seed: int = parameter(1, range(1, 2**32), "state after reset, below 2**bits", because="zero would stay zero")
    polarity: str = parameter("space", ("plain", "inverted", "time", "space", "uniform"), "which words are inverted")
    lanes: int = parameter(14, range(1, 1025), "lanes, each with its own phase or polarity")
    rows: bool = parameter(False, (False, True), "prevent a lock to the width of rows")
    plateau: bool = parameter(False, (False, True), "the least and the greatest word are half as frequent")

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
        """Taps, from the table for ``default``."""
        if isinstance(self.taps, str) and self.taps == "default":
            return TAPS[self.bits]
        return cast("tuple[int, ...]", self.taps)  # `_check_taps` rejects all other values

    @property
    def states(self) -> int:
        """Number of states of the generator's sequence."""
        return 2**self.bits - (self.polarity != "uniform")

    @property
    def alternates(self) -> bool:
        """Whether every second word is inverted."""
        return self.polarity in ("time", "space")

    @property
    def period(self) -> int:
        """Words after which a lane's words repeat, and rows after which a column's words repeat."""
        return self.states * (2 if self.alternates else 1)

    @property
    def most_lanes(self) -> int:
        """Most lanes with different words: one per phase, or two of opposite polarity."""
        return self.states * (2 if self.polarity == "space" else 1)

    @property
    def stride(self) -> int:
        """Steps from the phase of a lane, or of a pair of lanes, to the next phase.

        One if lanes form pairs with inverse words: bits that neighboring phases share cancel within a pair. Otherwise
        large enough that no two words of a cycle share a bit, within a period.
        """
        if self.polarity == "space":
            return 1
        return next(step for step in range(self.width, self.states + self.width) if gcd(step, self.states) == 1)

    def phase(self, lane: int) -> int:
        """Steps by which a lane is ahead of the generator's state."""
        return (lane // 2 if self.polarity == "space" else lane) * self.stride % self.states

    def inverts(self, lane: int) -> bool:
        """Whether a lane's words are inverted, in addition to any alternation."""
        return self.polarity == "inverted" or (self.polarity == "space" and lane % 2 == 1)


@attrs.frozen(kw_only=True)
class NeighborParams:
    """Parameters of a neighbor source.

    Parameters
    ----------
    lanes : int
        Lanes, more than ``neighbors``.
    width : int
        Bits of a word, ``r``.
    neighbors : int
        Lanes whose data form a word. One neighbor takes only wires; the XOR of two or three makes ones and zeros more
        equally likely.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or a lane is its own neighbor.
    """

    lanes: int = parameter(16, range(2, 1025), "lanes served")
    width: int = parameter(3, range(1, 25), "bits of a word")
    neighbors: int = parameter(1, range(1, 4), "lanes whose bits are XORed to a word, fewer than lanes")

    def __attrs_post_init__(self):
        if self.neighbors >= self.lanes:
            raise IllegalValue(
                "neighbors", f"from 1 to {self.lanes - 1} (fewer than lanes = {self.lanes})", self.neighbors
            )
