"""Which setting to take: by validation images alone."""

import math
from collections.abc import Callable, Iterable

from lowtide_studies.harness.statistics import Summary
from lowtide_studies.term_revealing.sweep import Point, Sweep

__all__ = ["ALLOWED", "MARGIN", "by_bound", "by_present", "cheapest", "front"]

ALLOWED = 0.5
"""Points of accuracy that revealing may lose."""

MARGIN = 2
"""Standard errors of the loss that must be allowed too: the best of many settings is, on other images, worse."""

Cost = Callable[[Point], float]


def by_bound(point: Point) -> float:
    """Most pairs a product, whatever the values."""
    return point.setting.bound


def by_present(point: Point) -> float:
    """Pairs a product that are really there."""
    return Summary.of(point.present).mean


def cheapest(sweep: Sweep, cost: Cost = by_bound, allowed: float = ALLOWED) -> Point | None:
    """The least cost at which the validation images lose no more than is allowed, `MARGIN` included.

    Of all settings of a cost, that which loses least. One seed has no standard error, and no margin.
    """
    good = [point for point in sweep.points if _at_worst(sweep, point) <= allowed]
    return min(good, key=lambda point: (cost(point), sweep.validation_loss(point).mean), default=None)


def front(sweep: Sweep, cost: Cost = by_bound, points: Iterable[Point] | None = None) -> list[Point]:
    """Settings than which none is both cheaper and better on the validation images, the cheapest first."""
    best: list[Point] = []
    ordered = sweep.points if points is None else points
    for point in sorted(ordered, key=lambda point: (cost(point), sweep.validation_loss(point).mean)):
        if not best or sweep.validation_loss(point).mean < sweep.validation_loss(best[-1]).mean:
            best.append(point)
    return best


def _at_worst(sweep: Sweep, point: Point) -> float:
    loss = sweep.validation_loss(point)
    return loss.mean + (0 if math.isnan(loss.error) else MARGIN * loss.error)
