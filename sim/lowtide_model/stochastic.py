"""Stochastic rounding of tensors, with the hardware's random sources, given words, or ideal random numbers."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs
import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import choice, instance, whole_number
from lowtide.units.random.params import RandomSourceParams
from lowtide_model.arrays import integers
from lowtide_model.random_source import MOST_STEPS, words

__all__ = ["GivenWords", "Ideal", "OneWord", "Rounding", "RoundingMethod", "Stochastic", "reference"]

Rounding = Callable[[np.ndarray, slice], object]
"""Rounds a block of exact values ``(n, group, inner)`` in place; the slice gives the indices of its groups."""

LEGAL_BITS = range(1, 33)
"""Legal widths of a random word."""


class RoundingMethod(Protocol):
    """Interface of the roundings below: rounds tensors with random numbers of ``bits`` bits."""

    @property
    def bits(self) -> int:
        """Width of a random number in bits."""
        ...

    def on(self, groups_in_row: int, group: int, inner: int, /) -> Rounding:
        """The function that rounds a tensor of shape ``(n, group, inner)``, with ``groups_in_row`` groups per row."""
        ...


def _sources(value: Any) -> tuple[RandomSourceParams, ...]:
    sources = tuple(value) if isinstance(value, list | tuple) else (value,)
    return tuple(
        instance("source", source, RandomSourceParams, "a RandomSourceParams, or a list or tuple of them")
        for source in sources
    )


def _mode(value: str) -> str:
    return choice("mode", value, ("carry", "half_step"))


def _generator(value: np.random.Generator) -> np.random.Generator:
    return instance("generator", value, np.random.Generator)


def _number(legal: Callable[[Any], range], default: Any = attrs.NOTHING) -> Any:
    """An attrs field for an integer, whose legal range may depend on the fields before it."""

    def convert(value: Any, self: Any, field: attrs.Attribute) -> int:
        return whole_number(field.name, value, legal(self))

    return attrs.field(converter=attrs.Converter(convert, takes_self=True, takes_field=True), default=default)


def _word(value: Any, self: Any) -> int:
    return whole_number("word", value, range(2**self.bits))


def _words(value: Any, self: Any) -> np.ndarray:
    return integers("words", value, 0, 2**self.bits - 1)


@attrs.frozen(kw_only=True)
class Stochastic:
    """Stochastic rounding as the hardware computes it: one rounder per lane, and random sources that serve the lanes.

    The exact fraction of a scaled value may have any number of bits; D counts all of them. A rounder evaluates the
    first ``r`` bits, the width of a random word, and with ``half_step`` one more. It discards the rest. So a fraction
    below ``2**-r``, or with ``half_step`` below ``2**-(r+1)``, never rounds up.

    The sources together serve L lanes, and L divides the group: a group takes ``group / L`` steps. Rows are the rows of
    the tensor with the axis of its groups moved last, in C order. Element l of group g of row i is in lane ``l % L``.
    Its word has row ``first_row + i`` and index ``g * (group / L) + l // L``. A source without rows counts steps
    through all rows, from ``first_step``.

    Parameters
    ----------
    mode : str
        ``carry`` or ``half_step``: see `lowtide_model.rounds_up`.
    source : RandomSourceParams or sequence of RandomSourceParams
        The sources in the order of their lanes, lowest first. All words must have one width.
    first_row : int
        Rows since reset before the tensor's first row, for sources with rows.
    first_step : int
        Steps since reset before the tensor's first step, for sources without rows.

    Raises
    ------
    ValueError
        If the mode is unknown, the words differ in width, or two sources are equal but for their lanes.
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
            raise IllegalValue("source", "sources that differ in more than their lanes", f"seeds {seeds}")

    @property
    def bits(self) -> int:
        """Width of a random word in bits, ``r``."""
        return self.source[0].width

    @property
    def lanes(self) -> int:
        """Lanes that the sources serve, ``L``."""
        return sum(source.lanes for source in self.source)

    def words(self, row: Any, index: Any, lane: Any, steps: int) -> np.ndarray:
        """Random words of lanes at an index in a row, for rows of ``steps`` steps."""
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
        """The function that rounds a tensor of shape ``(n, group, inner)``, with ``groups_in_row`` groups per row.

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
    """Stochastic rounding with one given random word per element, for example the words that a bench applied.

    Parameters
    ----------
    mode : str
        ``carry`` or ``half_step``.
    bits : int
        Width of a word in bits, ``r``.
    words : array of int, shape (groups, group)
        Words, in the order of the tensor's groups along its last axis. `quantize` rejects them for a tensor with other
        groups or another axis.

    Raises
    ------
    ValueError
        If the mode is unknown, or a word exceeds ``bits`` bits.
    """

    mode: str = attrs.field(converter=_mode)
    bits: int = _number(lambda _: LEGAL_BITS)
    words: Any = attrs.field(converter=attrs.Converter(_words, takes_self=True))

    def check(self, shape: tuple[int, ...]) -> None:
        """Check that the words fit a tensor of shape ``(n, group, inner)``.

        Raises
        ------
        ValueError
            If the number of words differs, or the groups do not lie along the tensor's last axis.
        """
        wanted = shape[0] * shape[2], shape[1]
        if shape[2] > 1:
            raise IllegalValue("words", "for groups along the last axis", f"groups {shape[2]} elements apart")
        if self.words.size != wanted[0] * wanted[1]:
            raise IllegalValue("words", f"of shape {wanted}, one for each element", self.words.shape)

    def on(self, _groups_in_row: int, group: int, inner: int) -> Rounding:
        """The function that rounds a tensor grouped along its last axis."""
        words = self.words.reshape(-1, group, inner)
        return lambda values, block: _round(values, lambda t: _rounds_up(t, words[block], self.mode, self.bits))


@attrs.frozen(kw_only=True)
class OneWord:
    """Rounding with one constant word for all elements, in the mode ``carry``.

    The word ``2**(bits - 1)`` rounds to nearest, ties away from zero.

    Parameters
    ----------
    bits : int
        Width of the word in bits, ``r``.
    word : int
        The word.

    Raises
    ------
    ValueError
        If the word exceeds ``bits`` bits.
    """

    bits: int = _number(lambda _: LEGAL_BITS)
    word: Any = attrs.field(converter=attrs.Converter(_word, takes_self=True))

    def on(self, _groups_in_row: int, _group: int, _inner: int) -> Rounding:
        """The function that rounds a tensor of any shape."""
        word = np.asarray(self.word)
        return lambda values, block: _round(values, lambda t: _rounds_up(t, word, "carry", self.bits))


@attrs.frozen
class Ideal:
    """Ideal stochastic rounding: each element rounds up independently, with a probability equal to its fraction.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the random numbers, 53 bits each.
    """

    generator: np.random.Generator = attrs.field(converter=_generator)

    @property
    def bits(self) -> int:
        """Width of a random number in bits."""
        return 53

    def on(self, _groups_in_row: int, _group: int, _inner: int) -> Rounding:
        """The function that rounds a tensor of any shape; an element's position does not matter."""
        return lambda values, _: _round(values, lambda t: self.generator.random(t.shape) < t)


def reference(lanes: int, mode: str = "carry") -> Stochastic:
    """The 24-bit reference rounding: each lane has its own 24-bit rounder and 24-bit generator.

    The generator's period is far longer than a row of data, so the sources need no rows. Seeds are multiples of an odd
    number, which spreads them over the sequence.
    """
    lanes = whole_number("lanes", lanes, range(1, 1025))
    seeds = [0x9E3779 * (lane + 1) % 2**24 for lane in range(lanes)]
    return Stochastic(
        mode=mode,
        source=[RandomSourceParams(bits=24, width=24, polarity="plain", lanes=1, seed=seed) for seed in seeds],
    )


def _rounds_up(t: np.ndarray, random: np.ndarray, mode: str, r: int) -> np.ndarray:
    """Whether exact fractions round up; only the leading bits that the rounder evaluates count."""
    if mode == "carry":
        return np.ldexp(t, r).astype(np.int64) + random >= 1 << r
    return np.ldexp(t, r + 1).astype(np.int64) + 2 * random + 1 >= 1 << r + 1


def _round(values: np.ndarray, rounds_up: Callable[[np.ndarray], np.ndarray]) -> None:
    """Round in place, by magnitude; ``rounds_up`` decides by the fractions."""
    fractions, below = np.modf(np.abs(values))
    np.copysign(below + rounds_up(fractions), values, out=values)
