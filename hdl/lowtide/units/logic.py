"""Combinational functions: multiplexer, comparison with a constant."""

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value

__all__ = ["at_most", "mux"]


def mux(words: Sequence[Value], index: Value) -> Value:
    """Return the word of an index, by a tree of multiplexers; any value if the index is out of range."""
    if len(words) == 1:
        return words[0]
    top = (len(words) - 1).bit_length() - 1
    return Mux(index[top], mux(words[1 << top :], index), mux(words[: 1 << top], index))


def at_most(value: Value, most: int) -> Value:
    """Whether an unsigned value is ``most`` or less: constant 1 if the value's width allows no larger value."""
    return value <= most if most < (1 << len(value)) - 1 else Const(1)
