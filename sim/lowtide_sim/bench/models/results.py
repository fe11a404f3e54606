"""Models of the units behind the array, normalizer and requantizer, and what a bench needs to drive each."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from lowtide.units.requantization.requantizer import RequantizerParams
from lowtide_model import scaled_to_fp32
from lowtide_model.terms import requantize_data
from lowtide_sim.bench.stimulus.fields import Beat, joined, parted, signed

__all__ = ["NormalizerModel", "RequantizerModel", "ResultKind", "kind_of", "normalizer_word", "requantizer_word"]


class NormalizerModel:
    """Model of a normalizer, for single accumulators or for rows, from its sidecar."""

    def __init__(self, sidecar: dict[str, Any]):
        parameters = sidecar["parameters"]
        self.width = parameters["width"]
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.get("columns", 1), parameters.get("normalizers", 1)

    def beats(self, payload: int, scale: int) -> Iterator[Beat]:
        """Expected beats for a row or a single accumulator, with its ``last`` mark above the words."""
        accs, last = parted(payload, self.width, self.columns)
        for first in range(0, self.columns, self.lanes):
            result = scaled_to_fp32(np.array(accs[first : first + self.lanes], object), signed(scale, 10))
            numbers = sum(bits << 32 * lane for lane, bits in enumerate(result.values.view(np.uint32).tolist()))
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            yield Beat(numbers | marks << 32 * self.lanes, (result.overflows, result.underflows))


def normalizer_word(model: NormalizerModel, rng: random.Random) -> tuple[int, int]:
    """A random row or accumulator with a random mark, and its scale."""
    accs = [_normalizer_accumulator(model.width - 1, rng) for _ in range(model.columns)]
    at_an_end = rng.choice((128, -125)) - rng.choice(accs).bit_length() + rng.randint(-2, 2)
    scale = rng.choice((at_an_end, at_an_end, rng.randint(-40, 40), rng.randint(-512, 511)))
    return joined(accs, model.width, rng.getrandbits(1)), scale


def _normalizer_accumulator(top: int, rng: random.Random) -> int:
    """A random integer; sometimes a tie, near a tie, near a power of two, or at the end of the range."""
    size = rng.randint(0, top)
    number = rng.getrandbits(size) if size else 0
    kind, below = rng.random(), max(size - 25, 0)
    if kind < 0.4:
        tie = (number >> below | 1) << below
        number = (tie if kind < 0.2 else 1 << size) + rng.choice((-1, 0, 1))
    return max(-(1 << top), min(rng.choice((1, -1)) * number, (1 << top) - 1))


class RequantizerModel:
    """Model of a requantizer, for single accumulators or for rows, from its sidecar."""

    def __init__(self, sidecar: dict[str, Any]):
        parameters = dict(sidecar["parameters"])
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.pop("columns", 1), parameters.pop("lanes", 1)
        parameters.pop("counter_bits", None)
        self.shape = RequantizerParams(**parameters)

    def beats(self, payload: int, multiplier: int, shift: int, relu: int, data_terms: int) -> Iterator[Beat]:
        """Expected beats for a row or a single accumulator, with its ``last`` mark above the words."""
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
    """A random row or accumulator with a random mark, and its multiplier, shift, ReLU and terms."""
    shape = model.shape
    multiplier = rng.getrandbits(shape.multiplier) if rng.random() < 0.6 else 1 << rng.randrange(shape.multiplier)
    shift = rng.randint(0, shape.max_shift)
    accs = [_requantizer_accumulator(shape, multiplier, shift, rng) for _ in range(model.columns)]
    row = joined(accs, shape.accumulator, rng.getrandbits(1))
    return row, multiplier, shift, rng.random() < 0.3, rng.randint(0, shape.most_terms)


def _requantizer_accumulator(shape: RequantizerParams, multiplier: int, shift: int, rng: random.Random) -> int:
    """A random integer; often one whose scaled value is a tie or near a tie, up to one bit wider than a result."""
    top = shape.accumulator - 1
    number = rng.getrandbits(rng.randint(1, top))
    if rng.random() < 0.6:
        halves = rng.getrandbits(rng.randint(1, shape.width + 1))
        number = (halves << shift) // (2 * max(multiplier, 1)) + rng.randint(-1, 1)
    return max(-(1 << top), min(rng.choice((1, -1)) * number, (1 << top) - 1))


@attrs.frozen(kw_only=True)
class ResultKind:
    """Model, stimulus and ports of a kind of unit, for single results or for rows.

    Parameters
    ----------
    model : class
        Model of the unit.
    word : function
        Returns a random payload and its settings, from the model and a generator.
    settings : sequence of str
        Ports of the settings.
    flags, counts : sequence of str
        Event ports of a unit for single results, and event counters of a unit for rows.
    """

    model: Callable[[dict[str, Any]], Any]
    word: Callable[[Any, Any], Sequence[int]]
    settings: Sequence[str]
    flags: Sequence[str]
    counts: Sequence[str]


def kind_of(sidecar: dict[str, Any]) -> ResultKind:
    """The kind of the emitted unit."""
    return _KINDS[sidecar["top"].removeprefix("row_").split("_")[0]]


_KINDS = {
    "normalizer": ResultKind(
        model=NormalizerModel,
        word=normalizer_word,
        settings=["scale"],
        flags=["overflow", "underflow"],
        counts=["overflows", "underflows"],
    ),
    "requantizer": ResultKind(
        model=RequantizerModel,
        word=requantizer_word,
        settings=["multiplier", "shift", "relu", "data_terms"],
        flags=["saturated"],
        counts=["saturations"],
    ),
}
