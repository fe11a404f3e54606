"""Pareto fronts of designs, and designs better than a baseline."""

from collections.abc import Sequence

import numpy as np

from lowtide_studies.rounder_search.search import Tried
from lowtide_studies.rounder_search.space import PLATEAU

__all__ = ["better_than_plateau", "dominates", "front", "front_of_area_and_bias"]

AREA_AND_BIAS = slice(0, 3)
"""Objectives in which designs are compared with the plateau."""


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether no figure is larger, and at least one figure is smaller."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front(designs: Sequence[Tried]) -> list[Tried]:
    """Designs that no other dominates, the smallest first; of designs with equal figures the first trial."""
    values = np.array([tried.figures.values for tried in designs])
    found: dict[tuple[float, ...], Tried] = {}
    for tried, own in zip(designs, values, strict=True):
        dominated = ((values <= own).all(axis=1) & (values < own).any(axis=1)).any()
        if not dominated:
            found.setdefault(tried.figures.values, tried)
    return sorted(found.values(), key=lambda tried: tried.figures.values)


def front_of_area_and_bias(designs: Sequence[Tried]) -> list[Tried]:
    """Of the front, designs that no other dominates in area and bias alone; of equal ones the least correlated."""
    values = [tried.figures.values[AREA_AND_BIAS] for tried in designs]
    found: dict[tuple[float, ...], Tried] = {}
    for tried in front(designs):
        own = tried.figures.values[AREA_AND_BIAS]
        if not any(dominates(other, own) for other in values):
            found.setdefault(own, tried)
    return list(found.values())


def better_than_plateau(designs: Sequence[Tried]) -> list[Tried]:
    """Designs that dominate the plateau in area and bias; first those that dominate in all figures, then the smallest.

    Without the plateau among the designs, the list is empty.
    """
    plateau = [tried.figures.values for tried in designs if tried.baseline == PLATEAU]
    if not plateau:
        return []
    found = [t for t in designs if dominates(t.figures.values[AREA_AND_BIAS], plateau[0][AREA_AND_BIAS])]
    return sorted(found, key=lambda t: (not dominates(t.figures.values, plateau[0]), t.figures.values))
