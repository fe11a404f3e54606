"""What is left of a budget, and which terms of a few it is enough for."""

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value

__all__ = ["more_than", "remaining", "within"]


def within(ones: Value, more: Sequence[Value]) -> Value:
    """Those of a few ones that are kept, the lowest first, where ``more[n]`` is whether more than ``n`` are left.

    Each one that is passed moves what is left down by one.
    """
    kept = []
    for bit in ones:
        kept.append(bit & more[0])
        more = [Mux(bit, above, here) for here, above in pairwise(more)]
    return Cat(kept)


def more_than(left: Value, n: int) -> Value:
    """Whether ``left`` is more than a small constant, without a carry chain."""
    low = min(n.bit_length(), len(left))
    more = [left[:low].matches(*range(n + 1, 2**low))] if n + 1 < 2**low else []
    return Cat(*more, left[low:]).any() if len(left) > low or more else C(0, 1)


def remaining(m: Module, left: Value, count: Value) -> Value:
    """What is left once ``count`` are taken off, ``max(left - count, 0)``, without a carry chain."""
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
