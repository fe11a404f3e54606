"""Pause generators: for each cycle, whether one side of a stream pauses."""

import random
from collections.abc import Callable, Iterator
from itertools import repeat

__all__ = ["PAUSES", "STALLS", "Pauses", "bursts", "never", "often"]

Pauses = Iterator[bool]


def never(_rng: random.Random) -> Pauses:
    """No pauses."""
    return repeat(False)


def often(share: float) -> Callable[[random.Random], Pauses]:
    """Independent pauses in a share of the cycles."""

    def pauses(rng: random.Random) -> Pauses:
        while True:
            yield rng.random() < share

    return pauses


def bursts(longest_run: int, longest_pause: int) -> Callable[[random.Random], Pauses]:
    """Alternating runs without and with pauses, each of a random length."""

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
"""Pauses of the source and of the sink with which units are tested."""
