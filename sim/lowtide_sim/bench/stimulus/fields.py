"""Packing and unpacking of words: bit fields of a sidecar, and rows of signed words."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

__all__ = ["Beat", "joined", "pack", "parted", "signed", "unpack", "words_of"]


def unpack(word: int, layout: Mapping[str, Any]) -> Any:
    """The fields of a word by name, unpacked recursively; an integer if the layout has no fields."""
    if "fields" not in layout:
        return word & (1 << layout["bits"]) - 1
    return {name: unpack(word >> field["from_bit"], field) for name, field in layout["fields"].items()}


def pack(values: Any, layout: Mapping[str, Any]) -> int:
    """Pack fields into a word; missing fields are zero, and values may be negative."""
    if "fields" not in layout:
        return values & (1 << layout["bits"]) - 1
    return sum(
        pack(values[name], field) << field["from_bit"] for name, field in layout["fields"].items() if name in values
    )


def words_of(beat: int, bits: int, count: int) -> list[int]:
    """Split a beat into words, the lowest first."""
    return [beat >> n * bits & (1 << bits) - 1 for n in range(count)]


def signed(word: int, bits: int) -> int:
    """Value of a two's complement word."""
    return word - (word >> bits - 1 << bits)


@attrs.frozen
class Beat:
    """A payload, and the number of its results that each event counter counts."""

    payload: int
    events: tuple[int, ...]


def joined(words: Sequence[int], width: int, last: int) -> int:
    """Join words, the first in the lowest bits, and a ``last`` mark above them."""
    row = sum((word & (1 << width) - 1) << n * width for n, word in enumerate(words))
    return last << len(words) * width | row


def parted(payload: int, width: int, count: int) -> tuple[list[int], int]:
    """Split a payload into signed words and its ``last`` mark."""
    return [signed(word, width) for word in words_of(payload, width, count)], payload >> count * width
