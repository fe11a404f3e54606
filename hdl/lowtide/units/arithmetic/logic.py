"""Small combinational functions: multiplexer, comparison with a constant."""

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value

__all__ = ["at_most", "mux"]


def mux(words: Sequence[Value], index: Value) -> Value:
    """Give the word of an index, by a tree of multiplexers; of an index that no word has, anything."""
    if len(words) == 1:
        return words[0]
    top = (len(words) - 1).bit_length() - 1
    return Mux(index[top], mux(words[1 << top :], index), mux(words[: 1 << top], index))


def at_most(value: Value, most: int) -> Value:
    """Whether an unsigned value is ``most`` or less: a constant, where its bits hold nothing larger."""
    return value <= most if most < (1 << len(value)) - 1 else Const(1)
