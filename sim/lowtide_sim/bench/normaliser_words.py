"""What a normaliser's bench sends: accumulators of all sizes at all scales, many at the ends of the range."""

import random

from lowtide_sim.bench.normaliser_model import NormaliserModel
from lowtide_sim.bench.row_words import joined

__all__ = ["normaliser_word"]


def normaliser_word(model: NormaliserModel, rng: random.Random) -> tuple[int, int]:
    """A row, or an accumulator, with any mark; and its scale."""
    accs = [_accumulator(model.width - 1, rng) for _ in range(model.columns)]
    at_an_end = rng.choice((128, -125)) - rng.choice(accs).bit_length() + rng.randint(-2, 2)
    scale = rng.choice((at_an_end, at_an_end, rng.randint(-40, 40), rng.randint(-512, 511)))
    return joined(accs, model.width, rng.getrandbits(1)), scale


def _accumulator(top: int, rng: random.Random) -> int:
    """An integer of any size, at times a tie, a power of two or next to one, or the end of the range."""
    size = rng.randint(0, top)
    number = rng.getrandbits(size) if size else 0
    kind, below = rng.random(), max(size - 25, 0)
    if kind < 0.4:
        tie = (number >> below | 1) << below
        number = (tie if kind < 0.2 else 1 << size) + rng.choice((-1, 0, 1))
    return max(-(1 << top), min(rng.choice((1, -1)) * number, (1 << top) - 1))
