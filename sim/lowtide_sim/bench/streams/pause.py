"""Pause generators: when one side of a stream does not want to go on, cycle by cycle."""

import random
from collections.abc import Callable, Iterator
from itertools import repeat

__all__ = ["PAUSES", "STALLS", "Pauses", "bursts", "never", "often"]

Pauses = Iterator[bool]


def never(_rng: random.Random) -> Pauses:
    """No pause at all."""
    return repeat(False)


def often(share: float) -> Callable[[random.Random], Pauses]:
    """A pause in this share of the cycles, each by itself."""

    def pauses(rng: random.Random) -> Pauses:
        while True:
            yield rng.random() < share

    return pauses


def bursts(longest_run: int, longest_pause: int) -> Callable[[random.Random], Pauses]:
    """Runs without a pause and long pauses in turn, each of a random length."""

    def pauses(rng: random.Random) -> Pauses:
        while True:
            yield from repeat(False, rng.randint(1, longest_run))
            yield from repeat(True, rng.randint(1, longest_pause))

    return pauses


PAUSES: dict[str, Callable[[random.Random], Pauses]] = {
    "none": never,
    "light": often(0.1),
    "half": often(0.5),
    "heavy": often(0.9),
    "bursts": bursts(40, 40),
}

STALLS = [
    ("none", "none"),
    ("light", "half"),
    ("heavy", "none"),
    ("none", "heavy"),
    ("bursts", "bursts"),
    ("half", "half"),
]
"""Those of a source and of a sink that a unit between them is tried with."""
