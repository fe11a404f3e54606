"""Stochastic rounding of tensors, with the hardware's random sources, given words, or ideal random numbers."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import choice, instance, whole_number
from lowtide.units.random.params import RandomSourceParams
from lowtide_model.arrays import integers
from lowtide_model.random_source import MOST_STEPS, words
from lowtide_model.rounding import Grouped, Rounding, by_addition, integer_type

__all__ = ["GivenWords", "Ideal", "OneWord", "RoundingMethod", "Stochastic", "reference"]

LEGAL_BITS = range(1, 33)
"""Legal widths of a random word."""


class RoundingMethod(Protocol):
    """Interface of the roundings below: rounds tensors with random numbers of ``bits`` bits."""

    @property
    def bits(self) -> int:
        """Width of a random number in bits."""
        ...

    def on(self, tensor: Grouped, /) -> Rounding:
        """The rounding of a tensor."""
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

    def on(self, tensor: Grouped) -> Rounding:
        """The rounding of a tensor.

        Raises
        ------
        ValueError
            If the lanes do not divide the group.
        """
        _, group, inner = tensor.shape
        if group % self.lanes:
            legal = ", ".join(str(lanes) for lanes in range(1, group + 1) if group % lanes == 0)
            raise IllegalValue("lanes of the sources", f"a divisor of the group of {group}: one of {legal}", self.lanes)
        found = [self._addends(tensor, with_rows) for with_rows in {source.rows for source in self.source}]

        def addends(block: slice) -> np.ndarray:
            total = found[0](block)
            for other in found[1:]:
                total += other(block)
            return total.reshape(-1, group, inner)

        return by_addition(tensor, _fraction(self.mode, self.bits), addends)

    def _addends(self, tensor: Grouped, with_rows: bool) -> Callable[[slice], np.ndarray]:
        """Addends of the sources with rows, or of the sources without rows; zeros in the other lanes.

        An element's addend depends on its lane and on the generators' step. From one row to the next, the step grows by
        1 with rows, and otherwise by the steps of a row. So the columns of a group are at fixed distances in a table of
        steps and lanes.
        """
        n, group, inner = tensor.shape
        steps_a_group = group // self.lanes
        steps = tensor.groups_in_row * steps_a_group
        row_step = 1 if with_rows else steps
        rows = np.arange(n // max(1, tensor.groups_in_row)) * (inner * row_step)
        first = np.add.outer(rows, np.arange(tensor.groups_in_row) * steps_a_group).reshape(-1, 1)
        later = np.arange(steps_a_group)
        last = int(first.max(initial=-1)) + steps_a_group - 1 + (inner - 1) * row_step
        table = self._table(tensor, with_rows, last + 1)
        if inner == 1:
            return lambda block: table.take(first[block] + later, axis=0)
        columns = sliding_window_view(table, (inner - 1) * row_step + 1, axis=0)[..., ::row_step]
        return lambda block: columns[first[block] + later]

    def _table(self, tensor: Grouped, with_rows: bool, steps: int) -> np.ndarray:
        """Addends by step and lane; in memory, the lanes of a step are adjacent if groups are along the last axis."""
        kind = integer_type(tensor.bits + _fraction(self.mode, self.bits))
        table = np.zeros((steps, self.lanes), kind, order="C" if tensor.shape[2] == 1 else "F")
        step = np.arange(steps)[:, np.newaxis] + (self.first_row if with_rows else self.first_step)
        lane = 0
        for source in self.source:
            if source.rows == with_rows:
                random = words(source, step, np.arange(source.lanes))
                table[:, lane : lane + source.lanes] = _addend(random, self.mode)
            lane += source.lanes
        return table


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

    def on(self, tensor: Grouped) -> Rounding:
        """The rounding of a tensor.

        Raises
        ------
        ValueError
            If the number of words differs, or the groups do not lie along the tensor's last axis.
        """
        n, group, inner = tensor.shape
        if inner > 1:
            raise IllegalValue("words", "for groups along the last axis", f"groups {inner} elements apart")
        if self.words.size != n * group:
            raise IllegalValue("words", f"of shape {n, group}, one for each element", self.words.shape)
        addends = _addend(self.words, self.mode).reshape(tensor.shape)
        return by_addition(tensor, _fraction(self.mode, self.bits), lambda block: addends[block])


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

    def on(self, tensor: Grouped) -> Rounding:
        """The rounding of a tensor."""
        return by_addition(tensor, self.bits, lambda _: np.asarray(self.word))


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

    def on(self, _tensor: Grouped) -> Rounding:
        """The rounding of a tensor; an element's position does not matter."""

        def rounding(values: np.ndarray, _: slice) -> np.ndarray:
            fractions, below = np.modf(np.abs(values))
            return np.copysign(below + (self.generator.random(values.shape) < fractions), values)

        return Rounding(0, rounding)


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


def _fraction(mode: str, bits: int) -> int:
    """Bits of a fraction that a rounder evaluates."""
    return bits if mode == "carry" else bits + 1


def _addend(random: np.ndarray, mode: str) -> np.ndarray:
    """Addends of random words, in units of the last bit that a rounder evaluates."""
    return random if mode == "carry" else 2 * random + 1
