"""Groups that share an exponent, for multiply-accumulates, and how they are packed."""

import random
from collections.abc import Sequence

__all__ = ["block_word", "random_block"]


def random_block(rng: random.Random, lanes: int, magnitude: int) -> list[int]:
    """Signed elements: any, few, the largest, none, or one that is one."""
    top, kind = 2**magnitude - 1, rng.random()
    if kind < 0.1:
        return [rng.choice((-top, top))] * lanes
    if kind < 0.2:
        return [0] * (lanes - 1) + [rng.choice((-1, 0, 1))]
    density = rng.choice((0.2, 1))
    return [rng.randint(-top, top) if rng.random() < density else 0 for _ in range(lanes)]


def block_word(block: Sequence[int], exponent: int, magnitude: int) -> int:
    """Elements and their exponent's field, as a `ChunkLayout` has them: signs above magnitudes, the first lowest."""
    lanes = (abs(x) | int(x < 0) << magnitude for x in block)
    word = sum(lane << n * (magnitude + 1) for n, lane in enumerate(lanes))
    return word | exponent << len(block) * (magnitude + 1)
