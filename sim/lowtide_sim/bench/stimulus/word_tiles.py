"""Stimulus: tiles of packed words for processing elements that multiply terms or integers."""

import random
from typing import Any

from lowtide.formats.terms import digits_of_integer
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.stimulus.tiles import Tile, tile

__all__ = ["WordTiles"]


class WordTiles:
    """Generates tiles: words of A that write data or nothing, words of B with terms for data written before.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the array.
    rng : random.Random
        Generator of the operands.
    """

    def __init__(self, sidecar: dict[str, Any], rng: random.Random):
        configuration = sidecar["configuration"]
        self.rng, self.kind = rng, configuration["array"]["element"]
        self.rows, self.columns = configuration["array"]["rows"], configuration["array"]["columns"]
        self.terms = configuration["terms"]
        self.a, self.b = sidecar["word_a"], sidecar["word_b"]
        self.digits = digits_of_integer(self.terms["width"], self.terms["encoding"])
        self.values = self.terms["values"] if self.kind == "tmac" else 1
        places = self.terms["group"] * (1 if self.kind == "tmac" else self.terms["data_terms"])
        self.slots = -(-places // self.values)
        self.reset()

    def reset(self) -> None:
        """Treat all sent data as lost."""
        self.known: list[tuple[int, int]] = []  # bank and slot of written data

    def random(self) -> Tile:
        """A tile of random length."""
        return self.of_beats(self.rng.choice((1, 1, 2, 3, self.rng.randint(1, 60))))

    def of_beats(self, beats: int) -> Tile:
        """A tile of ``beats`` beats."""
        return tile([self._pmac() if self.kind == "pmac" else self._terms() for _ in range(beats)])

    def _pmac(self) -> tuple[int, int]:
        return self._beat([self._any(self.a) for _ in range(self.rows)], self.a), self._beat(
            [self._any(self.b) for _ in range(self.columns)], self.b
        )

    def _any(self, layout: dict[str, Any]) -> int:
        bits = layout["bits"]
        lowest = 1 << bits - 1
        return self.rng.choice((0, lowest, lowest - 1, self.rng.getrandbits(bits), self.rng.getrandbits(bits)))

    def _terms(self) -> tuple[int, int]:
        known, where = list(self.known), (self.rng.getrandbits(1), self.rng.randrange(self.slots))
        # A word without a write has random data and a slot too, which must have no effect.
        write = not known or self.rng.random() < 0.6
        if write:
            self.known = [*known[-9:], where]
        a = [self._data(where, write) for _ in range(self.rows)]
        b = [self._weights(known) for _ in range(self.columns)]
        return self._beat(a, self.a), self._beat(b, self.b)

    def _beat(self, words: list[Any], layout: dict[str, Any]) -> int:
        return sum(pack(word, layout) << n * layout["bits"] for n, word in enumerate(words))

    def _data(self, where: tuple[int, int], write: bool) -> dict[str, Any]:
        word: dict[str, Any] = {"bank": where[0], "slot": where[1], "write": int(write)}
        if self.kind == "pair_mac":
            return word | self._term()
        largest = 2 ** (self.digits - 1)
        values = (self.rng.choice((-largest, largest, self.rng.randint(-largest, largest))) for _ in range(self.values))
        return word | {"value": {str(j): value for j, value in enumerate(values)}}

    def _weights(self, known: list[tuple[int, int]]) -> dict[str, Any]:
        bank, _ = self.rng.choice(known or [(0, 0)])
        slots = [slot for other, slot in known if other == bank]
        if self.kind == "pair_mac":
            pairs = range(self.terms["parallel"])
            chosen = [self.rng.choice(slots or [0]) for _ in pairs]
            return {"bank": bank, "pair": {str(n): {"slot": chosen[n]} | self._term(bool(slots)) for n in pairs}}
        terms = {}
        for n in range(self.terms["parallel"]):
            index = self.rng.choice(slots or [0]) * self.values + self.rng.randrange(self.values)
            terms[str(n)] = {"index": index} | self._term(bool(slots) and index < self.terms["group"])
        return {"bank": bank, "term": terms}

    def _term(self, allowed: bool = True) -> dict[str, int]:
        nonzero = int(allowed and self.rng.random() < 0.8)
        exponent = self.rng.choice((0, self.digits - 1, self.rng.randrange(self.digits)))
        return {"exponent": exponent, "negative": self.rng.getrandbits(1), "nonzero": nonzero}
