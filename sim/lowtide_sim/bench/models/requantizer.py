"""What a requantizer must answer, from the accumulators that were seen to be offered to it."""

import random
from collections.abc import Iterator
from typing import Any

from lowtide.units.requantization.requantizer import RequantizerParams
from lowtide_model.terms import requantize_data
from lowtide_sim.bench.stimulus.fields import Beat
from lowtide_sim.bench.stimulus.row_words import joined, parted

__all__ = ["RequantizerModel", "requantizer_word"]


class RequantizerModel:
    """The golden model, an accumulator or a row of them at a time.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the requantizer.
    """

    def __init__(self, sidecar: dict[str, Any]):
        parameters = dict(sidecar["parameters"])
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.pop("columns", 1), parameters.pop("lanes", 1)
        parameters.pop("counter", None)
        self.shape = RequantizerParams(**parameters)

    def beats(self, payload: int, multiplier: int, shift: int, relu: int, data_terms: int) -> Iterator[Beat]:
        """What becomes of a row, or of a single accumulator: ``last`` is above its words."""
        accs, last = parted(payload, self.shape.accumulator, self.columns)
        for first in range(0, self.columns, self.lanes):
            values, saturated = requantize_data(
                accs[first : first + self.lanes],
                multiplier=multiplier,
                shift=shift,
                width=self.shape.width,
                terms=data_terms,
                encoding=self.shape.encoding,
                relu=bool(relu),
            )
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            yield Beat(joined(values.tolist(), self.shape.revealed, marks), (saturated,))


def requantizer_word(model: RequantizerModel, rng: random.Random) -> tuple[int, ...]:
    """A row, or an accumulator, with any mark; and its multiplier, shift, ReLU and terms."""
    shape = model.shape
    multiplier = rng.getrandbits(shape.multiplier) if rng.random() < 0.6 else 1 << rng.randrange(shape.multiplier)
    shift = rng.randint(0, shape.max_shift)
    accs = [_accumulator(shape, multiplier, shift, rng) for _ in range(model.columns)]
    row = joined(accs, shape.accumulator, rng.getrandbits(1))
    return row, multiplier, shift, rng.random() < 0.3, rng.randint(0, shape.most_terms)


def _accumulator(shape: RequantizerParams, multiplier: int, shift: int, rng: random.Random) -> int:
    """An integer of any size; or one that makes half units, or nearly, of as many bits as a result has, or one more."""
    top = shape.accumulator - 1
    number = rng.getrandbits(rng.randint(1, top))
    if rng.random() < 0.6:
        halves = rng.getrandbits(rng.randint(1, shape.width + 1))
        number = (halves << shift) // (2 * max(multiplier, 1)) + rng.randint(-1, 1)
    return max(-(1 << top), min(rng.choice((1, -1)) * number, (1 << top) - 1))
