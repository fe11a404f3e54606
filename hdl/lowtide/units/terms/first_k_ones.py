"""First k ones of an ordered vector: the core of every term selector."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place

__all__ = ["SEGMENT", "FirstKOnesSegment", "first_k_ones", "more_than", "remaining", "within"]


class FirstKOnesSegment(Unit):
    """Segment of `first_k_ones`: keeps the first ``left`` ones, and passes the remaining count to the next segment.

    Combinational: ``rest = max(left - sum(ones), 0)``.

    Parameters
    ----------
    bits : int
        Bits of the segment.
    width : int
        Bits of a count.

    Members
    -------
    ones : In(bits)
        Bits of the vector, the first bit the lowest.
    left : In(width)
        Number of ones to keep from this segment on.
    kept : Out(bits)
        Ones that are kept.
    rest : Out(width)
        Number of ones to keep after this segment.
    """

    def __init__(self, bits: int, width: int):
        self.module_name = f"first_k_ones_{bits}_{width}"
        super().__init__({"ones": In(bits), "left": In(width), "kept": Out(bits), "rest": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.kept.eq(within(self.ones, [more_than(self.left, n) for n in range(len(self.ones))])),
            self.rest.eq(remaining(m, self.left, sum(self.ones))),
        ]
        return m


SEGMENT = 3
"""Bits of a segment: with the count, which saturates at three, a kept bit depends on five bits at most."""


def first_k_ones(m: Module, platform: Any, ones: Value, k: Value) -> Value:
    """Return the vector with only its first ``k`` ones, from the lowest bit. Combinational.

    Segment by segment, the number of ones is subtracted from the remaining count.
    """
    kept, left = [], k
    for low in range(0, len(ones), SEGMENT):
        bits = ones[low : low + SEGMENT]
        segment = place(m, platform, f"from_{low}", FirstKOnesSegment(len(bits), len(k)), ones=bits, left=left)
        kept.append(segment.kept)
        left = segment.rest
    return Cat(kept)


def within(ones: Value, more: Sequence[Value]) -> Value:
    """Return the kept ones of a few bits, the lowest first; ``more[n]`` is whether more than ``n`` may be kept.

    Each one decrements the remaining count.
    """
    kept = []
    for bit in ones:
        kept.append(bit & more[0])
        more = [Mux(bit, above, here) for here, above in pairwise(more)]
    return Cat(kept)


def more_than(left: Value, n: int) -> Value:
    """Return whether ``left`` exceeds a small constant, without a carry chain."""
    low = min(n.bit_length(), len(left))
    more = [left[:low].matches(*range(n + 1, 2**low))] if n + 1 < 2**low else []
    return Cat(*more, left[low:]).any() if len(left) > low or more else C(0, 1)


def remaining(m: Module, left: Value, count: Value) -> Value:
    """Return ``max(left - count, 0)``, without a carry chain."""
    a, b = Signal(len(left), name="from_left"), Signal(len(left), name="taken")
    m.d.comb += [a.eq(left), b.eq(count)]
    borrow: Value = count[len(left) :].any()
    difference: list[Value] = []
    low: Value = C(0, 1)
    for x, y in zip(a, b, strict=True):
        following = Signal(name="borrow")
        m.d.comb += following.eq((~x & y) | (low & (~x | y)))
        difference.append(x ^ y ^ low)
        low = following
    return Mux(borrow | low, 0, Cat(difference))
