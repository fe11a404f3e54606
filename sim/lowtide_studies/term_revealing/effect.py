"""What the size of groups does, and what the encoding does, with the other held fixed."""

from typing import Any

import attrs

from lowtide_studies.term_revealing.choice import cheapest
from lowtide_studies.term_revealing.setting import Setting
from lowtide_studies.term_revealing.sweep import Point, Sweep

__all__ = ["COMPARED", "Effect", "effects"]

COMPARED = Setting(encoding="hese", group=8, data_terms=3)
"""What is held fixed, but for the budget of weights."""

OTHER = {"group": "encoding", "encoding": "group"}


@attrs.frozen(kw_only=True)
class Effect:
    """Settings of one group, or of one encoding.

    Parameters
    ----------
    value : int or str
        The group or the encoding.
    by_budget : dict of float to Point
        By ``k / g``: the point with the data's budget of `COMPARED`.
    cheapest : Point or None
        The fewest pairs at most, with any budgets of weights and data, that lose little enough.
    """

    value: Any
    by_budget: dict[float, Point]
    cheapest: Point | None


def effects(sweep: Sweep, what: str) -> list[Effect]:
    """By ``what``, group or encoding, in the order of the sweep."""
    other = OTHER[what]
    alike = [point for point in sweep.points if getattr(point.setting, other) == getattr(COMPARED, other)]
    found = []
    for value in dict.fromkeys(getattr(point.setting, what) for point in alike):
        points = [point for point in alike if getattr(point.setting, what) == value]
        by_budget = {point.setting.cycles: point for point in points if point.setting.data_terms == COMPARED.data_terms}
        best = cheapest(attrs.evolve(sweep, points=points))
        found.append(Effect(value=value, by_budget=by_budget, cheapest=best))
    return found
