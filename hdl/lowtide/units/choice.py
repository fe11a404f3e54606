"""Choice: one of several words, by its index."""

from collections.abc import Sequence

from amaranth.hdl import Mux, Value

__all__ = ["choice"]


def choice(words: Sequence[Value], index: Value) -> Value:
    """Give the word of an index, by a tree of multiplexers; of an index that no word has, anything."""
    if len(words) == 1:
        return words[0]
    top = (len(words) - 1).bit_length() - 1
    return Mux(index[top], choice(words[1 << top :], index), choice(words[: 1 << top], index))
