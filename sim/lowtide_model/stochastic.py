"""Stochastic rounding of tensors: by the words of a random source, or by ideal ones."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs
import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import choice, instance, whole_number
from lowtide.units.random.params import RandomSourceParams
from lowtide_model.arrays import integers
from lowtide_model.random_source import MOST_STEPS, words

__all__ = ["GivenWords", "Ideal", "OneWord", "Rounding", "Rounds", "Stochastic", "reference"]

Rounding = Callable[[np.ndarray, slice], object]
"""Rounds a block of exact values ``(n, group, inner)`` in place; the slice says which groups they are."""


LEGAL_BITS = range(1, 33)
"""Bits of a random word."""


class Rounds(Protocol):
    """A way to round tensors by random numbers of so many bits."""

    @property
    def bits(self) -> int: ...

    def on(self, groups_in_row: int, group: int, inner: int, /) -> Rounding: ...


def _sources(value: Any) -> tuple[RandomSourceParams, ...]:
    sources = tuple(value) if isinstance(value, list | tuple) else (value,)
    return tuple(
        instance("source", source, RandomSourceParams, "a Source, or a list or tuple of them") for source in sources
    )


def _mode(value: str) -> str:
    return choice("mode", value, ("carry", "half_step"))


def _generator(value: np.random.Generator) -> np.random.Generator:
    return instance("generator", value, np.random.Generator)


def _number(legal: Callable[[Any], range], default: Any = attrs.NOTHING) -> Any:
    """An attrs field that is an integer, legal by the fields before it."""

    def convert(value: Any, self: Any, field: attrs.Attribute) -> int:
        return whole_number(field.name, value, legal(self))

    return attrs.field(converter=attrs.Converter(convert, takes_self=True, takes_field=True), default=default)


def _word(value: Any, self: Any) -> int:
    return whole_number("word", value, range(2**self.bits))


def _words(value: Any, self: Any) -> np.ndarray:
    return integers("words", value, 0, 2**self.bits - 1)


@attrs.frozen(kw_only=True)
class Stochastic:
    """Stochastic rounding as the hardware does it: a rounder a lane, and random sources that serve the lanes.

    The exact fraction of a scaled value has any number of bits; D is all of them. A rounder looks at the first ``r``,
    the bits of a word, and with ``half_step`` at one more, and cuts off the rest. So a fraction below ``2**-r``, or
    with ``half_step`` below ``2**-(r+1)``, never rounds up.

    The sources together serve L lanes, and L divides the group: a group takes ``group / L`` steps, one if L is the
    group and ``group`` if it is 1. Rows are those of the tensor with its groups' axis last, in C order. Element l of
    group g of row i is in lane ``l % L``, and its word is that of row ``first_row + i`` and index
    ``g * (group / L) + l // L``; a source without rows counts on from row to row, from ``first_step``.

    Parameters
    ----------
    mode : str
        ``carry`` or ``half_step``, as of `lowtide_model.rounds_up`.
    source : Source or sequence of Source
        The sources, those of the lower lanes first, with words of equal width.
    first_row : int
        Rows before the tensor's first, since reset, for sources with rows.
    first_step : int
        Steps before the tensor's first, since reset, for sources without.

    Raises
    ------
    ValueError
        If the mode is none of the two, the words differ in width, or two sources are the same from their seeds on.
    """

    mode: str = attrs.field(default="carry", converter=_mode)
    source: tuple[RandomSourceParams, ...] = attrs.field(converter=_sources)
    first_row: int = _number(lambda _: range(MOST_STEPS + 1), default=0)
    first_step: int = _number(lambda _: range(MOST_STEPS + 1), default=0)

    def __attrs_post_init__(self):
        widths = sorted({source.width for source in self.source})
        if len(widths) != 1:
            raise IllegalValue("source", "one or more sources, with words of one width", widths)
        seeds = [source.seed for source in self.source]
        if len({attrs.evolve(source, lanes=1) for source in self.source}) < len(seeds):
            raise IllegalValue("source", "sources of which no two are alike, lanes aside", f"seeds {seeds}")

    @property
    def bits(self) -> int:
        """Bits of a word, ``r``."""
        return self.source[0].width

    @property
    def lanes(self) -> int:
        """Lanes that the sources serve, ``L``."""
        return sum(source.lanes for source in self.source)

    def words(self, row: Any, index: Any, lane: Any, steps: int) -> np.ndarray:
        """Words of lanes at an index in a row, of rows of so many steps."""
        row, index, lane = np.broadcast_arrays(row, index, lane)
        found = np.zeros(lane.shape, np.int64)
        first = 0
        for source in self.source:
            here = (lane >= first) & (lane < first + source.lanes)
            if source.rows:
                found[here] = words(source, index[here], lane[here] - first, row[here] + self.first_row)
            else:
                found[here] = words(source, index[here] + row[here] * steps + self.first_step, lane[here] - first)
            first += source.lanes
        return found

    def on(self, groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor in groups ``(n, group, inner)``, of so many groups a row.

        Raises
        ------
        ValueError
            If the lanes do not divide the group.
        """
        if group % self.lanes:
            legal = ", ".join(str(lanes) for lanes in range(1, group + 1) if group % lanes == 0)
            raise IllegalValue("lanes of the sources", f"a divisor of the group of {group}: one of {legal}", self.lanes)
        steps_a_group = group // self.lanes
        element, column = np.arange(group)[:, np.newaxis], np.arange(inner)

        def rounding(values: np.ndarray, block: slice) -> None:
            n = np.arange(block.start, block.start + len(values))[:, np.newaxis, np.newaxis]
            row = n // groups_in_row * inner + column
            index = n % groups_in_row * steps_a_group + element // self.lanes
            random = self.words(row, index, element % self.lanes, groups_in_row * steps_a_group)
            _round(values, lambda t: _rounds_up(t, random, self.mode, self.bits))

        return rounding


@attrs.frozen(kw_only=True, eq=False)
class GivenWords:
    """Stochastic rounding by words that are given, one for each element.

    Parameters
    ----------
    mode : str
        ``carry`` or ``half_step``.
    bits : int
        Bits of a word, ``r``.
    words : array of int, shape (groups, group)
        Words, in the order of the tensor's groups along its last axis. Whoever quantizes a tensor of other groups, or
        along another axis, is refused.

    Raises
    ------
    ValueError
        If the mode is none of the two, or a word has more bits.
    """

    mode: str = attrs.field(converter=_mode)
    bits: int = _number(lambda _: LEGAL_BITS)
    words: Any = attrs.field(converter=attrs.Converter(_words, takes_self=True))

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse words that are not those of a tensor in groups of a shape ``(n, group, inner)``.

        Raises
        ------
        ValueError
            If there are not as many words, or the groups do not lie along the tensor's last axis.
        """
        wanted = shape[0] * shape[2], shape[1]
        if shape[2] > 1:
            raise IllegalValue("words", "for groups along the last axis", f"groups {shape[2]} elements apart")
        if self.words.size != wanted[0] * wanted[1]:
            raise IllegalValue("words", f"of shape {wanted}, one for each element", self.words.shape)

    def on(self, _groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor that is grouped along its last axis."""
        words = self.words.reshape(-1, group, inner)
        return lambda values, block: _round(values, lambda t: _rounds_up(t, words[block], self.mode, self.bits))


@attrs.frozen(kw_only=True)
class OneWord:
    """Rounding by one word for all elements: half of what words can be rounds to nearest, ties away from zero.

    Parameters
    ----------
    bits : int
        Bits of the word, ``r``; the mode is ``carry``.
    word : int
        The word.

    Raises
    ------
    ValueError
        If the word has more bits.
    """

    bits: int = _number(lambda _: LEGAL_BITS)
    word: Any = attrs.field(converter=attrs.Converter(_word, takes_self=True))

    def on(self, _groups_in_row: int, _group: int, _inner: int) -> Rounding:
        """The rounding of any tensor."""
        word = np.asarray(self.word)
        return lambda values, block: _round(values, lambda t: _rounds_up(t, word, "carry", self.bits))


@attrs.frozen
class Ideal:
    """Stochastic rounding as it is meant: up with the probability of the fraction, every element by itself.

    Parameters
    ----------
    generator : numpy.random.Generator
        Where the random numbers come from: 53 bits each.
    """

    generator: np.random.Generator = attrs.field(converter=_generator)

    @property
    def bits(self) -> int:
        """Bits of a random number."""
        return 53

    def on(self, _groups_in_row: int, _group: int, _inner: int) -> Rounding:
        """The rounding of a tensor; where an element stands does not matter."""
        return lambda values, _: _round(values, lambda t: self.generator.random(t.shape) < t)


def reference(lanes: int, mode: str = "carry") -> Stochastic:
    """The 24-bit reference: each lane has a rounder of 24 bits and a generator of 24 bits of its own.

    A period is so long that no row of data is locked to it, and rows are left out. Seeds are multiples of an odd
    number, so that they are spread over the sequence.
    """
    lanes = whole_number("lanes", lanes, range(1, 1025))
    seeds = [0x9E3779 * (lane + 1) % 2**24 for lane in range(lanes)]
    return Stochastic(
        mode=mode,
        source=[RandomSourceParams(bits=24, width=24, polarity="plain", lanes=1, seed=seed) for seed in seeds],
    )


def _rounds_up(t: np.ndarray, random: np.ndarray, mode: str, r: int) -> np.ndarray:
    """Decisions on exact fractions, of which only as many bits count as the rounder sees."""
    if mode == "carry":
        return np.ldexp(t, r).astype(np.int64) + random >= 1 << r
    return np.ldexp(t, r + 1).astype(np.int64) + 2 * random + 1 >= 1 << r + 1


def _round(values: np.ndarray, rounds_up: Callable[[np.ndarray], np.ndarray]) -> None:
    """Round in place, by magnitude; ``rounds_up`` decides on the fractions."""
    fractions, below = np.modf(np.abs(values))
    np.copysign(below + rounds_up(fractions), values, out=values)
