"""Stimulus: tiles of integers, for an array that reveals their terms."""

import random
from typing import Any

import numpy as np

from lowtide_sim.bench.stimulus.tiles import Tile, tile

__all__ = ["IntegerTiles", "integer_tile"]


class IntegerTiles:
    """Makes tiles of integers: any, or of few terms, or of the most there can be, or at the ends of their range.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the array.
    rng : random.Random
        Where the operands come from.
    """

    def __init__(self, sidecar: dict[str, Any], rng: random.Random):
        configuration = sidecar["configuration"]
        self.rng, self.terms = rng, configuration["terms"]
        self.rows, self.columns = configuration["array"]["rows"], configuration["array"]["columns"]

    def reset(self) -> None:
        """Nothing to forget."""

    def random(self) -> Tile:
        """A tile of any length."""
        group = self.terms["group"]
        return self.of_beats(self.rng.choice((1, 1, 2, group, group + 1, self.rng.randint(1, 4 * group))))

    def of_beats(self, beats: int) -> Tile:
        """A tile of so many beats."""
        kind = self.rng.choice(("any", "any", "sparse", "dense", "ends", "zero"))
        return tile([(self._beat(self.rows, kind), self._beat(self.columns, kind)) for _ in range(beats)])

    def _beat(self, words: int, kind: str) -> int:
        width = self.terms["width"]
        beat = 0
        for n in range(words * self.terms["values"]):
            beat |= (self._integer(kind) & (1 << width) - 1) << n * width
        return beat

    def _integer(self, kind: str) -> int:
        width, rng = self.terms["width"], self.rng
        lowest = -(1 << width - 1)
        if kind == "sparse":
            kind = rng.choice(("zero", "zero", "power", "any"))
        return {
            "zero": 0,
            "power": rng.choice((-1, 1)) << rng.randrange(width - 1),
            "dense": rng.choice((-1, 1)) * (-lowest - 1) // 3 * 2,
            "ends": rng.choice((lowest, -lowest - 1)),
        }.get(kind, rng.randint(lowest, -lowest - 1))


def integer_tile(sidecar: dict[str, Any], a: np.ndarray, b: np.ndarray, group: int) -> Tile:
    """A tile of a product.

    Parameters
    ----------
    sidecar : dict
        What was emitted with an array of ``pmac``, or of ``tmac`` whose operands are integers.
    a, b : arrays of int, shapes (rows, K) and (K, columns)
        Operands.
    group : int
        Values of a group, each of which begins with a beat.
    """
    terms, array = sidecar["configuration"]["terms"], sidecar["configuration"]["array"]
    values = terms["values"] if array["operands"] == "integers" else 1
    cuts = [
        slice(start, min(start + values, first + group, a.shape[1]))
        for first in range(0, a.shape[1], group)
        for start in range(first, min(first + group, a.shape[1]), values)
    ]
    width = terms["width"]
    return tile([(_beat(a[:, cut], values, width), _beat(b.T[:, cut], values, width)) for cut in cuts])


def _beat(words: np.ndarray, values: int, width: int) -> int:
    """A beat of the next integers of every word; behind the last of a group there are zeros."""
    padded = np.pad(words, [(0, 0), (0, values - words.shape[1])])
    return sum((int(value) & (1 << width) - 1) << n * width for n, value in enumerate(padded.ravel()))
