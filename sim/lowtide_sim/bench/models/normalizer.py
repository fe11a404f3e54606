"""What a normalizer must answer, from the accumulators that were seen to be offered to it."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from lowtide_model import scaled_to_fp32
from lowtide_sim.bench.stimulus.fields import Beat, signed
from lowtide_sim.bench.stimulus.row_words import joined, parted

__all__ = ["NormalizerModel", "normalizer_word"]


class NormalizerModel:
    """The golden model, an accumulator or a row of them at a time.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the normalizer.
    """

    def __init__(self, sidecar: dict[str, Any]):
        parameters = sidecar["parameters"]
        self.width = parameters["width"]
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.get("columns", 1), parameters.get("normalizers", 1)

    def beats(self, payload: int, scale: int) -> Iterator[Beat]:
        """What becomes of a row, or of a single accumulator: ``last`` is above its words."""
        accs, last = parted(payload, self.width, self.columns)
        for first in range(0, self.columns, self.lanes):
            result = scaled_to_fp32(np.array(accs[first : first + self.lanes], object), signed(scale, 10))
            numbers = sum(bits << 32 * lane for lane, bits in enumerate(result.values.view(np.uint32).tolist()))
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            yield Beat(numbers | marks << 32 * self.lanes, (result.overflows, result.underflows))


def normalizer_word(model: NormalizerModel, rng: random.Random) -> tuple[int, int]:
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
