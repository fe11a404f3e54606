"""A stochastic rounding unit in the search, and the search space."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import attrs
import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from lowtide.errors import LowtideError
from lowtide.units.random.params import MOST_UNIFORM, RandomSourceParams
from lowtide.units.random.taps import TAPS, is_maximal
from lowtide.units.rounding.params import RounderParams
from lowtide_model.random_source import bits_from

__all__ = [
    "BASELINES",
    "DISTRIBUTIONS",
    "FRACTION",
    "GROUP",
    "PLATEAU",
    "VERSION",
    "Design",
    "SearchError",
    "design_of",
    "maximal_taps",
    "point_of",
]

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


VERSION = 1
"""Increases when the design of a point or the definition of a figure changes."""

MOST_LISTED = 8
"""Most bits of a generator with all its maximal polynomials in the space, at most 18."""

REFERENCE_BITS = 24
"""Bits of the reference's generator."""

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "bits": CategoricalDistribution([*range(2, 13), REFERENCE_BITS]),
    "spare": IntDistribution(0, 11),
    "taps": IntDistribution(0, 17),
    "polarity": CategoricalDistribution(["plain", "inverted", "time", "space", "uniform"]),
    "lanes": CategoricalDistribution([1, 2, 4, 8, 16]),
    "apart": IntDistribution(1, 24),
    "mode": CategoricalDistribution(["carry", "half_step"]),
    "cut": IntDistribution(0, 2),
}
"""Ranges of the parameters. They are independent, so that any sampler can use them; `design_of` maps them to designs.

``spare`` bits of the generator are not in a word; ``taps`` counts the maximal polynomials of the size; both start
again from 0 where there are fewer. ``cut`` is by how many bits the fraction is shorter than the rounder could use.
"""


def design_of(point: Mapping[str, Any], *, rows: bool = False) -> Design:
    """The design of a point, or the nearest legal design of an illegal point.

    A generator with all words has 6 bits at most. A generator serves no more lanes than it has phases.
    """
    bits, polarity = point["bits"], point["polarity"]
    if polarity == "uniform":
        bits = min(bits, MOST_UNIFORM)
    width = bits - point["spare"] % bits
    taps = maximal_taps(bits)[point["taps"] % len(maximal_taps(bits))]
    lanes = point["lanes"]
    while lanes > _most_lanes(bits, polarity):
        lanes //= 2
    usable = min(width + (point["mode"] == "half_step"), FRACTION)
    return Design(
        bits=bits,
        taps=taps,
        polarity=polarity,
        width=width,
        lanes=lanes,
        apart=point["apart"],
        mode=point["mode"],
        fraction=max(1, usable - point["cut"]),
        rows=rows,
    )


def point_of(design: Design) -> dict[str, Any]:
    """A point of a design."""
    usable = min(design.width + (design.mode == "half_step"), FRACTION)
    return {
        "bits": design.bits,
        "spare": design.bits - design.width,
        "taps": maximal_taps(design.bits).index(design.taps),
        "polarity": design.polarity,
        "lanes": design.lanes,
        "apart": design.apart,
        "mode": design.mode,
        "cut": usable - design.fraction,
    }


@cache
def maximal_taps(bits: int) -> list[tuple[int, ...]]:
    """Taps of all maximal polynomials of a small size, the default ones first; of a large size, the default ones."""
    if bits > MOST_LISTED:
        return [TAPS[bits]]
    lower = range(2 ** (bits - 1))
    all_taps = [(bits, *(tap for tap in range(bits - 1, 0, -1) if chosen >> tap - 1 & 1)) for chosen in lower]
    return sorted(filter(is_maximal, all_taps), key=lambda taps: (taps != TAPS[bits], len(taps), taps))


def _most_lanes(bits: int, polarity: str) -> int:
    """Most lanes that are tried, since Yosys takes minutes for more: with all words it expands what is far ahead."""
    if bits == REFERENCE_BITS:
        return 1
    if polarity == "uniform" and bits > 4:
        return 2
    return RandomSourceParams(bits=bits, width=1, polarity=polarity, lanes=1).most_lanes


def _lfsr(bits: int, polarity: str, lanes: int) -> Design:
    """Words of all bits, rounded by carry."""
    return Design(
        bits=bits,
        taps=TAPS[bits],
        polarity=polarity,
        width=bits,
        lanes=lanes,
        apart=bits,
        mode="carry",
        fraction=bits,
    )


PLATEAU = "3-bit plateau"
BASELINES: dict[str, Design] = {
    PLATEAU: _lfsr(3, "space", 2),
    "3-bit plateau in time": _lfsr(3, "time", 1),
    "24-bit reference": _lfsr(REFERENCE_BITS, "plain", 1),
}
"""First trials of a search: both forms of the 3-bit plateau of ESRU, and its reference."""
