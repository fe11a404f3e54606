"""Rows of signed words in a payload, with a mark above them."""

from collections.abc import Sequence

from lowtide_sim.bench.stimulus.fields import signed, words_of

__all__ = ["joined", "parted"]


def joined(words: Sequence[int], width: int, last: int) -> int:
    """A payload of words, the first in the lowest bits, and a mark."""
    row = sum((word & (1 << width) - 1) << n * width for n, word in enumerate(words))
    return last << len(words) * width | row


def parted(payload: int, width: int, count: int) -> tuple[list[int], int]:
    """The words of a payload, and the mark."""
    return [signed(word, width) for word in words_of(payload, width, count)], payload >> count * width
