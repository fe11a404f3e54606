"""Words taken apart and put together by the bit fields that a sidecar gives."""

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Beat", "pack", "signed", "unpack", "words_of"]


def unpack(word: int, layout: Mapping[str, Any]) -> Any:
    """The fields of a word by their names, each taken apart likewise; a number where there are none."""
    if "fields" not in layout:
        return word & (1 << layout["bits"]) - 1
    return {name: unpack(word >> field["from_bit"], field) for name, field in layout["fields"].items()}


def pack(values: Any, layout: Mapping[str, Any]) -> int:
    """A word of such fields; those that are not given are zero, and numbers may be negative."""
    if "fields" not in layout:
        return values & (1 << layout["bits"]) - 1
    return sum(
        pack(values[name], field) << field["from_bit"] for name, field in layout["fields"].items() if name in values
    )


def words_of(beat: int, bits: int, count: int) -> list[int]:
    """The words of a beat, the lowest first."""
    return [beat >> n * bits & (1 << bits) - 1 for n in range(count)]


def signed(word: int, bits: int) -> int:
    """A word in two's complement as a number."""
    return word - (word >> bits - 1 << bits)


@attrs.frozen
class Beat:
    """A payload, and how many of its results are to be counted, of each kind that is."""

    payload: int
    events: tuple[int, ...]
