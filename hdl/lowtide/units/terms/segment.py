"""Segment: a few bits of a vector of which the first ones are kept."""

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.hierarchy import Unit
from lowtide.units.terms.remaining import more_than, remaining, within

__all__ = ["Segment"]


class Segment(Unit):
    """Keeps the first ones of its bits, as many as are left, and says what is left for the next segment.

    Combinational: ``rest = max(left - sum(ones), 0)``.

    Parameters
    ----------
    bits : int
        Bits of the vector.
    width : int
        Bits of what is left.

    Members
    -------
    ones : In(bits)
        The vector, its first bit the lowest.
    left : In(width)
        Ones that may be kept.
    kept : Out(bits)
        Ones that are.
    rest : Out(width)
        Ones that may be kept behind it.
    """

    ones: Value
    left: Value
    kept: Value
    rest: Value

    def __init__(self, bits: int, width: int):
        self.module_name = f"segment_{bits}_{width}"
        super().__init__({"ones": In(bits), "left": In(width), "kept": Out(bits), "rest": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.kept.eq(within(self.ones, [more_than(self.left, n) for n in range(len(self.ones))])),
            self.rest.eq(remaining(m, self.left, sum(self.ones))),
        ]
        return m
