"""The search space: ranges of parameters, and the design of each point."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from lowtide.units.random.params import MOST_UNIFORM, RandomSourceParams
from lowtide.units.random.taps import TAPS, is_maximal
from lowtide_studies.rounder_search.design import FRACTION, Design

__all__ = ["BASELINES", "DISTRIBUTIONS", "PLATEAU", "VERSION", "design_of", "maximal_taps", "point_of"]

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
