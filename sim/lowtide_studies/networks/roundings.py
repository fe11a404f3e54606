"""Roundings of gradients, by name; one of them has no generator."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide.formats.parameter import parameter
from lowtide.units.random.params import RandomSourceParams
from lowtide_model import Ideal, Stochastic, neighbor_words, reference, rounds_up
from lowtide_model.rounding import Grouped, Rounding
from lowtide_model.stochastic import RoundingMethod

__all__ = ["BASELINE", "IDEAL", "LANES", "NAMED", "PLATEAU", "USUAL_ROUNDINGS", "Drawn", "Neighbor"]

FRACTION = 23
"""Bits of FP32's fraction field."""


@attrs.frozen(kw_only=True)
class Neighbor:
    """Stochastic rounding with half a step, with bits of the FP32 fraction field in neighboring lanes.

    `lowtide_model.neighbor_words` forms words from the bits of the lanes of a group. All bits of a zero, which is
    frequent after a rectifier, are zero.

    Parameters
    ----------
    bits : int
        Bits per word, ``r``.
    neighbors : int
        Lanes per word.
    leading : bool
        Whether words use the leading bits of the fraction field, not the last. The last bits are unsuitable if numbers
        are products of few-bit operands: their significands are short, and end in zeros.
    alternating : bool
        Whether words are inverted if lane, group and row have an odd sum. This corrects the bias of words that
        are zero or small too often, like the inversion of every second word of a generator.
    """

    bits: int = parameter(3, range(1, 23), "bits of a word")
    neighbors: int = parameter(1, range(1, 4), "lanes per word")
    leading: bool = parameter(True, (False, True), "the first bits of the fraction field instead of the last")
    alternating: bool = parameter(True, (False, True), "every second word is inverted")

    def on(self, tensor: Grouped) -> Rounding:
        """The rounding of a tensor."""
        _, group, inner = tensor.shape
        groups_in_row = tensor.groups_in_row
        lane, column = np.arange(group)[:, np.newaxis], np.arange(inner)

        def rounding(values: np.ndarray, block: slice) -> np.ndarray:
            n = np.arange(block.start, block.start + len(values))[:, np.newaxis, np.newaxis]
            row = n // groups_in_row * inner + column
            odd = (lane + n % groups_in_row + row) % 2 * self.alternating
            return _half_step(values, self.words(values) ^ odd * (2**self.bits - 1), self.bits)

        return Rounding(0, rounding)

    def words(self, values: np.ndarray) -> np.ndarray:
        """Words that groups ``(n, group, inner)`` give to each other, before inversion.

        Scaling by a power of two does not change the fraction field.
        """
        lanes_last = np.ascontiguousarray(np.moveaxis(values, 1, -1), np.float32)
        fields = lanes_last.view(np.uint32).astype(np.int64)
        data = fields >> (FRACTION - self.bits if self.leading else 0) & 2**self.bits - 1
        return np.moveaxis(neighbor_words(data, width=self.bits, neighbors=self.neighbors), -1, 1)


@attrs.frozen(kw_only=True)
class Drawn:
    """Stochastic rounding with half a step, with words that are drawn independently: no word follows from another.

    Parameters
    ----------
    bits : int
        Bits per word, ``r``.
    words : tuple of int
        Words, each equally probable.
    generator : numpy.random.Generator
        Source of the choice.
    """

    bits: int = 3
    words: tuple[int, ...]
    generator: np.random.Generator

    def on(self, _tensor: Grouped) -> Rounding:
        """The rounding of a tensor; an element's position does not matter."""
        words = np.array(self.words)

        def rounding(values: np.ndarray, _: slice) -> np.ndarray:
            return _half_step(values, words[self.generator.integers(len(words), size=values.shape)], self.bits)

        return Rounding(0, rounding)


UNIFORM_WORDS = tuple(range(8))
PLATEAU_WORDS = (*range(1, 8), *range(7))
"""Words of a 3-bit LFSR, which has no zero, and their complements."""


def _half_step(values: np.ndarray, words: np.ndarray, bits: int) -> np.ndarray:
    """Signed integers of values: up if half a step and a word make the fraction overflow."""
    fractions, below = np.modf(np.abs(values))
    # The rounder uses only these bits of the fraction.
    seen = np.ldexp(fractions, bits + 1).astype(np.int64)
    up = rounds_up(seen, mode="half_step", fraction=bits + 1, random=words, random_bits=bits)
    return np.copysign(below + up, values)


LANES = 16
"""Lanes of the converter, each with its own word: all lanes of a group."""

BASELINE, IDEAL = "fp32", "ideal"
PLATEAU = ("plateau-space", "plateau-time")
"""Short random words, the subject of the project."""


@attrs.frozen
class NamedRounding:
    """A rounding in a study.

    For the seed of a run, which only ideal rounding uses, ``make`` returns a rounding of `lowtide_model.quantize`, or
    None for no quantization.
    """

    meaning: str
    make: Callable[[int], str | RoundingMethod | None]


def _ideal(seed: int) -> Ideal:
    return Ideal(np.random.default_rng([seed, 2]))


def _drawn(words: tuple[int, ...]) -> Callable[[int], Drawn]:
    return lambda seed: Drawn(words=words, generator=np.random.default_rng([seed, 3]))


def _short(mode: str, polarity: str, lanes: int) -> Stochastic:
    """Words of 3 bits for 16 lanes, from several generators with different seeds."""
    seeds = range(1, LANES // lanes + 1)
    sources = (
        RandomSourceParams(bits=3, width=3, polarity=polarity, lanes=lanes, rows=True, seed=seed) for seed in seeds
    )
    return Stochastic(mode=mode, source=tuple(sources))


def _shared(bits: int, width: int) -> Stochastic:
    """Words of a generator that serves all lanes."""
    source = RandomSourceParams(bits=bits, width=width, polarity="space", lanes=LANES, rows=True)
    return Stochastic(mode="half_step", source=source)


NAMED = {
    BASELINE: NamedRounding("nothing is quantized", lambda _: None),
    "nearest": NamedRounding("to nearest, ties away from zero", lambda _: "nearest"),
    "nearest_even": NamedRounding("to nearest, ties to even", lambda _: "nearest_even"),
    "truncate": NamedRounding("towards zero", lambda _: "truncate"),
    IDEAL: NamedRounding("up with the probability of the fraction", _ideal),
    "reference": NamedRounding("24-bit LFSR, 24-bit words, carry", lambda _: reference(LANES)),
    "raw": NamedRounding("3-bit LFSR without correction, carry", lambda _: _short("carry", "plain", 4)),
    "raw-half": NamedRounding("3-bit LFSR without correction, half step", lambda _: _short("half_step", "plain", 4)),
    "plateau-space": NamedRounding("3-bit plateau in space, half step", lambda _: _short("half_step", "space", 8)),
    "plateau-time": NamedRounding("3-bit plateau in time, half step", lambda _: _short("half_step", "time", 4)),
    "plateau-carry": NamedRounding("3-bit plateau in space, carry", lambda _: _short("carry", "space", 8)),
    "uniform": NamedRounding("all 3-bit words, half step", lambda _: _short("half_step", "uniform", 8)),
    "shared-2": NamedRounding("2 of 4 bits of one LFSR for all lanes, half step", lambda _: _shared(4, 2)),
    "shared-3": NamedRounding("3 of 11 bits of one LFSR for all lanes, half step", lambda _: _shared(11, 3)),
    "plateau-drawn": NamedRounding("3-bit plateau words drawn independently, half step", _drawn(PLATEAU_WORDS)),
    "uniform-drawn": NamedRounding("all 3-bit words drawn independently, half step", _drawn(UNIFORM_WORDS)),
    "neighbor-low": NamedRounding(
        "last 3 bits of the next lane, half step", lambda _: Neighbor(leading=False, alternating=False)
    ),
    "neighbor": NamedRounding("leading 3 bits of the next lane, half step", lambda _: Neighbor(alternating=False)),
    "neighbor-plateau": NamedRounding("leading 3 bits of the next lane, every second inverted", lambda _: Neighbor()),
}

USUAL_ROUNDINGS = tuple(name for name in NAMED if name not in ("nearest", "plateau-drawn", "uniform-drawn"))
"""Default roundings of a study; of the roundings to nearest, the one of weights and activations. No drawn words."""
