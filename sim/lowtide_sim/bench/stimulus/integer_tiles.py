"""Stimulus: tiles of integers, for an array that reveals terms."""

import random
from typing import Any

import numpy as np

from lowtide_sim.bench.stimulus.tiles import Tile, tile

__all__ = ["IntegerTiles", "integer_tile"]


class IntegerTiles:
    """Generates tiles of integers: random, with few terms, with the most terms, or at the limits of their range.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the array.
    rng : random.Random
        Generator of the operands.
    """

    def __init__(self, sidecar: dict[str, Any], rng: random.Random):
        configuration = sidecar["configuration"]
        self.rng, self.terms = rng, configuration["terms"]
        self.rows, self.columns = configuration["array"]["rows"], configuration["array"]["columns"]

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def random(self) -> Tile:
        """A tile of random length."""
        group = self.terms["group"]
        return self.of_beats(self.rng.choice((1, 1, 2, group, group + 1, self.rng.randint(1, 4 * group))))

    def of_beats(self, beats: int) -> Tile:
        """A tile of ``beats`` beats."""
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
        Sidecar of an array of ``pmac``, or of ``tmac`` with integer operands.
    a, b : arrays of int, shapes (rows, K) and (K, columns)
        Operands.
    group : int
        Values per group; each group starts a new beat.
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
    """A beat of the next integers of every word, padded with zeros at the end of a group."""
    padded = np.pad(words, [(0, 0), (0, values - words.shape[1])])
    return sum((int(value) & (1 << width) - 1) << n * width for n, value in enumerate(padded.ravel()))
