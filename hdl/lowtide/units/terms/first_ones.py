"""First ones: what selection of terms comes down to, to keep the first k ones of an ordered vector."""

from typing import Any

from amaranth.hdl import Cat, Module, Value

from lowtide.hierarchy import place
from lowtide.units.terms.segment import Segment

__all__ = ["SEGMENT", "first_ones"]

SEGMENT = 3
"""Bits of a segment: with what is left at it, held at three, five bits in all."""


def first_ones(m: Module, platform: Any, ones: Value, k: Value) -> Value:
    """Give the vector with its first ``k`` ones, from the lowest bit, and none of the others. Combinational.

    Segment by segment, the ones of each are taken off what is left.
    """
    kept, left = [], k
    for low in range(0, len(ones), SEGMENT):
        bits = ones[low : low + SEGMENT]
        segment = place(m, platform, f"from_{low}", Segment(len(bits), len(k)), ones=bits, left=left)
        kept.append(segment.kept)
        left = segment.rest
    return Cat(kept)
