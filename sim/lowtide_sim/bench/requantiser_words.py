"""What a requantiser's bench sends: accumulators whose results are of all sizes, many ties, many next to an end."""

import random

from lowtide.units.requantisation.requantiser import RequantiserShape
from lowtide_sim.bench.requantiser_model import RequantiserModel
from lowtide_sim.bench.row_words import joined

__all__ = ["requantiser_word"]


def requantiser_word(model: RequantiserModel, rng: random.Random) -> tuple[int, ...]:
    """A row, or an accumulator, with any mark; and its multiplier, shift, ReLU and terms."""
    shape = model.shape
    multiplier = rng.getrandbits(shape.multiplier) if rng.random() < 0.6 else 1 << rng.randrange(shape.multiplier)
    shift = rng.randint(0, shape.max_shift)
    accs = [_accumulator(shape, multiplier, shift, rng) for _ in range(model.columns)]
    row = joined(accs, shape.accumulator, rng.getrandbits(1))
    return row, multiplier, shift, rng.random() < 0.3, rng.randint(0, shape.most_terms)


def _accumulator(shape: RequantiserShape, multiplier: int, shift: int, rng: random.Random) -> int:
    """An integer of any size; or one that makes half units, or nearly, of as many bits as a result has, or one more."""
    top = shape.accumulator - 1
    number = rng.getrandbits(rng.randint(1, top))
    if rng.random() < 0.6:
        halves = rng.getrandbits(rng.randint(1, shape.width + 1))
        number = (halves << shift) // (2 * max(multiplier, 1)) + rng.randint(-1, 1)
    return max(-(1 << top), min(rng.choice((1, -1)) * number, (1 << top) - 1))
