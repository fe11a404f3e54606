"""Random tiles of integers: packed as an element takes them, or for an array that reveals their terms."""

import random
from typing import Any

import numpy as np

from lowtide.formats.terms import digits_of_integer
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.stimulus.tiles import Tile, tile

__all__ = ["IntegerTiles", "WordTiles", "integer_tile"]


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
