"""Search for the bits of each layer: a path of single steps by their error per saved cost, then Optuna from there."""

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
from sklearn.isotonic import IsotonicRegression

__all__ = ["Found", "Point", "Space", "choose", "expected_quality", "front", "path", "single_steps", "spread"]

Point = tuple[int, ...]
"""Bits of A and of B of each layer, in the order of the layers: a0, b0, a1, b1, …"""


@attrs.frozen(kw_only=True)
class Space:
    """Legal bits of each operand of each layer.

    Parameters
    ----------
    layers : tuple of str
        Names of the layers.
    bits_a, bits_b : tuple of int
        Legal bits of A and of B, rising.
    kept : frozenset of str
        Layers that keep the most bits.
    """

    layers: tuple[str, ...]
    bits_a: tuple[int, ...]
    bits_b: tuple[int, ...]
    kept: frozenset[str] = frozenset()

    @property
    def most(self) -> Point:
        """The most bits for all operands."""
        return self.uniform(self.bits_a[-1], self.bits_b[-1])

    def uniform(self, a: int, b: int) -> Point:
        """The same bits for all layers but those that are kept."""
        whole = self.bits_a[-1], self.bits_b[-1]
        return tuple(bits for layer in self.layers for bits in (whole if layer in self.kept else (a, b)))

    def legal(self, place: int) -> tuple[int, ...]:
        """Bits that an operand may have."""
        bits = (self.bits_a, self.bits_b)[place % 2]
        return bits[-1:] if self.layers[place // 2] in self.kept else bits

    def replaced(self, point: Point, place: int, bits: int) -> Point:
        """A point with other bits of one operand."""
        return (*point[:place], bits, *point[place + 1 :])

    def precision(self, point: Point) -> dict[str, tuple[int, int]]:
        """Bits of A and of B by layers."""
        return dict(zip(self.layers, zip(point[::2], point[1::2], strict=True), strict=True))


@attrs.frozen(kw_only=True)
class Found:
    """A point, its quality and its cost.

    Parameters
    ----------
    point : tuple of int
    noise : float
        Energy of the error of the network's output over the energy of the output, on the samples of the search.
    quality : float
        Quality on the samples of the search.
    tested : float
        Quality on the other samples.
    cost : float
        Cycles, or mean bits.
    how : str
        ``uniform``, ``path`` or ``search``; ``stored`` for equal bits with weights that are not tuned.
    """

    point: Point
    noise: float
    quality: float
    tested: float
    cost: float
    how: str


def single_steps(space: Space) -> list[tuple[int, int]]:
    """Each operand with each of its smaller numbers of bits, while all others have the most: place and bits."""
    return [(place, bits) for place in range(len(space.most)) for bits in space.legal(place)[:-1]]


def path(space: Space, noise: Mapping[tuple[int, int], float], cost: Callable[[Point], float]) -> list[Point]:
    """Points from the most bits to the fewest, each with one chunk less in one operand.

    The next step is the one with the least noise per saved cost. The noise of different operands is taken to add up.
    A step that saves no cost is not taken.

    Parameters
    ----------
    space : Space
        Legal bits.
    noise : mapping of (int, int) to float
        Noise energy of the network's output for each of `single_steps`.
    cost : callable
        Cost of a point.
    """
    points = [space.most]
    while True:
        point = points[-1]
        before = cost(point)
        steps = []
        for place, bits in enumerate(point):
            lower = [one for one in space.legal(place) if one < bits]
            after = space.replaced(point, place, lower[-1]) if lower else point
            saved = before - cost(after)
            if saved > 0:
                added = noise[place, lower[-1]] - noise.get((place, bits), 0.0)
                steps.append((max(0.0, added) / saved, after))
        if not steps:
            return points
        points.append(min(steps)[1])


def spread(points: Sequence[Point], cost: Callable[[Point], float], most: int) -> list[Point]:
    """At most so many of the points of a path, evenly spread by cost, with the first and the last one."""
    if len(points) <= most:
        return list(points)
    costs = np.array([cost(point) for point in points])
    wanted = np.linspace(costs[0], costs[-1], most)
    return [points[place] for place in np.unique(np.abs(costs[:, np.newaxis] - wanted).argmin(0))]


def front(found: Sequence[Found]) -> list[Found]:
    """Points that no other point beats in cost and noise, by rising cost."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.cost, one.noise)):
        if not kept or one.noise < kept[-1].noise:
            kept.append(one)
    return kept


def expected_quality(found: Sequence[Found]) -> list[float]:
    """Quality of each point as a function that falls with the noise: isotonic regression over all points.

    The quality of a few hundred samples is uncertain. The best of many points is often a lucky one, so the least cost
    among the points of enough quality would be biased.
    """
    noise, quality = ([getattr(one, name) for one in found] for name in ("noise", "quality"))
    return IsotonicRegression(increasing=False).fit_transform(noise, quality).tolist()


def choose(found: Sequence[Found], least: float) -> Found | None:
    """The cheapest point of the front with an expected quality of ``least`` or more; None if there is none."""
    expected = dict(zip((one.point for one in found), expected_quality(found), strict=True))
    return next((one for one in front(found) if expected[one.point] >= least), None)
