"""Selection of settings by validation images alone, and the effects of group size and encoding."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from lowtide_studies.harness.statistics import Summary
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.sweep import Point, Sweep

__all__ = ["ALLOWED", "COMPARED", "COSTS", "MARGIN", "by_present", "cheapest", "effects", "front"]

ALLOWED = 0.5
"""Points of accuracy that term revealing may lose."""

MARGIN = 2
"""Standard errors that the allowed loss includes: the best of many settings is worse on other images."""

Cost = Callable[[Point], float]


def by_bound(point: Point) -> float:
    """Upper bound of pairs per product, for any values."""
    return point.setting.bound


def by_present(point: Point) -> float:
    """Pairs of nonzero terms per product."""
    return Summary.of(point.present).mean


COSTS: dict[str, Cost] = {"bound": by_bound, "present": by_present}
"""Costs by which the cheapest setting is selected."""


def cheapest(sweep: Sweep, cost: Cost = by_bound, allowed: float = ALLOWED) -> Point | None:
    """The cheapest setting whose validation loss, with `MARGIN`, is allowed; at equal cost the lowest loss.

    One seed has no standard error, and therefore no margin.
    """
    good = [point for point in sweep.points if _at_worst(sweep, point) <= allowed]
    return min(good, key=lambda point: (cost(point), sweep.validation_loss(point).mean), default=None)


def front(sweep: Sweep, cost: Cost = by_bound, points: Iterable[Point] | None = None) -> list[Point]:
    """Pareto front of cost and validation loss, the cheapest setting first."""
    best: list[Point] = []
    ordered = sweep.points if points is None else points
    for point in sorted(ordered, key=lambda point: (cost(point), sweep.validation_loss(point).mean)):
        if not best or sweep.validation_loss(point).mean < sweep.validation_loss(best[-1]).mean:
            best.append(point)
    return best


def _at_worst(sweep: Sweep, point: Point) -> float:
    loss = sweep.validation_loss(point)
    return loss.mean + (0 if math.isnan(loss.error) else MARGIN * loss.error)


COMPARED = Setting(encoding="hese", group=8, data_terms=3)
"""Fixed parameters; only the budget of the weights changes."""

OTHER = {"group": "encoding", "encoding": "group"}


@attrs.frozen(kw_only=True)
class Effect:
    """Settings of one group size or encoding: by ``k / g``, with the data terms of `COMPARED`; and the cheapest."""

    value: Any
    by_budget: dict[float, Point]
    cheapest: Point | None


def effects(sweep: Sweep, what: str) -> list[Effect]:
    """Effects of ``what``, group or encoding, in the order of the sweep."""
    other = OTHER[what]
    equal = [point for point in sweep.points if getattr(point.setting, other) == getattr(COMPARED, other)]
    found = []
    for value in dict.fromkeys(getattr(point.setting, what) for point in equal):
        points = [point for point in equal if getattr(point.setting, what) == value]
        by_budget = {point.setting.cycles: point for point in points if point.setting.data_terms == COMPARED.data_terms}
        best = cheapest(attrs.evolve(sweep, points=points))
        found.append(Effect(value=value, by_budget=by_budget, cheapest=best))
    return found
