"""Stimulus: tiles of integers, for an array that reveals their terms."""

import random
from typing import Any

from lowtide_sim.bench.tiles import Tile, tile

__all__ = ["IntegerTiles"]


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
