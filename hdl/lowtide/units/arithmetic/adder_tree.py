"""Adder tree: sums words and carry bits in levels of two-input adders, with registers between them."""

from collections.abc import Sequence

import attrs
from amaranth.hdl import Cat, Const, Module, Value

from lowtide.units.stream.delay import delayed

__all__ = ["AdderLevels", "add", "adder_tree", "less_half", "ones_of_four"]


@attrs.frozen
class AdderLevels:
    """Levels of adders, with a register after every few levels.

    Parameters
    ----------
    m : Module
        Module that gets the registers.
    per_register : int
        Levels per register.
    last : int, optional
        Level without a register, since the user registers its result.
    """

    m: Module
    per_register: int = 1
    last: int | None = None

    def registered(self, level: int, value: Value) -> Value:
        """Return a value that leaves a level, the first being 1: registered if a register follows the level."""
        follows = level % self.per_register == 0 and level != self.last
        return delayed(self.m, value) if follows else value


def adder_tree(
    levels: AdderLevels, words: Sequence[Value], carries: Sequence[Value] = (), *, first: int = 1
) -> tuple[Value, Value | None]:
    """Sum words and, in the adders' carry inputs, bits of the lowest weight.

    With a register after each level, every adder fits one carry chain, and a synthesizer finds no adders to merge into
    a compressor.

    Parameters
    ----------
    levels : AdderLevels
        Levels of adders, with their registers.
    words : sequence of Value
        Words. An odd word of a level is added in a later level.
    carries : sequence of one-bit Value
        No carries, or one per word.
    first : int
        Level of the first adders.

    Returns
    -------
    Value, Value or None
        Sum, and the one carry that no adder takes, after ``ceil(log2(len(words)))`` levels.
    """
    level = first
    while len(words) > 1:
        pairs = list(zip(words[::2], words[1::2], strict=False))
        now = list(carries[: len(pairs)]) or [None] * len(pairs)
        single = [words[-1]] if len(words) % 2 else []
        sums = [add(x, y, carry) for (x, y), carry in zip(pairs, now, strict=True)]
        words = [levels.registered(level, word) for word in sums + single]
        carries = [levels.registered(level, carry) for carry in carries[len(pairs) :]]
        level += 1
    return words[0], carries[0] if carries else None


def add(x: Value, y: Value, carry: Value | None = None) -> Value:
    """Return ``x + y + carry``; both words are signed, or neither is.

    Both operands are extended below by the carry, which so generates a carry and needs no second adder.
    """
    if carry is None:
        return x + y
    if x.shape().signed:
        return (Cat(carry, x).as_signed() + Cat(carry, y).as_signed())[1:].as_signed()
    return (Cat(carry, x) + Cat(carry, y))[1:]


def less_half(word: Value) -> Value:
    """Return an unsigned word minus the weight of its top bit, signed: the word with its top bit inverted.

    So subtracting that weight needs no adder.
    """
    return Cat(word[:-1], ~word[-1]).as_signed()


def ones_of_four(bits: Value, less: int) -> Value:
    """Count the ones of four bits minus a constant from 0 to 4, in one four-input LUT per bit of the count."""
    width = 3 if less else 4
    counts = [ones.bit_count() - less for ones in range(16)]
    tables = [sum((count >> n & 1) << ones for ones, count in enumerate(counts)) for n in range(width)]
    return Cat((Const(table, 16) >> bits)[0] for table in tables).as_signed()
