"""Prefix count: counts a vector's ones up to the end of each segment."""

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["PrefixCount"]

ADDITIONS = 2
"""Largest number of consecutive additions between registers."""


class PrefixCount(Unit):
    """Prefix count: counts a vector's ones up to the end of each segment.

    The unit adds the counts of neighboring segments, then of pairs of segments, and so on. At each level, the total of
    the lower half is added to every count of the upper half.

    Parameters
    ----------
    bits : int
        Bits of the vector.
    segment : int
        Bits of a segment; the last segment may be shorter.

    Members
    -------
    enable : In(1)
        The registers load while high.
    ones : In(bits)
        Vector.
    sums : Out(-(-bits // segment) * width)
        Count up to the end of each segment, the first segment in the lowest bits, ``latency`` cycles of ``enable``
        later.

    Attributes
    ----------
    width : int
        Bits of a count.
    latency : int
        Cycles from the vector to the counts.
    """

    def __init__(self, bits: int, segment: int):
        self.module_name = f"prefix_count_{bits}_by_{segment}"
        self.segment, self.width = segment, bits.bit_length()
        segments = -(-bits // segment)
        self._levels = (segments - 1).bit_length()
        self.latency = max(1, -(-self._levels // ADDITIONS))
        super().__init__({"enable": In(1), "ones": In(bits), "sums": Out(segments * self.width)})

    def elaborate(self, platform):
        m = Module()
        sums: list[Value] = [sum(self.ones[low : low + self.segment]) for low in range(0, len(self.ones), self.segment)]
        for level in range(self._levels):
            if level and level % ADDITIONS == 0:
                sums = [delayed(m, count, enable=self.enable) for count in sums]
            sums = [
                count + sums[(n >> level << level) - 1] if n >> level & 1 else count for n, count in enumerate(sums)
            ]
        with m.If(self.enable):
            m.d.sync += [self.sums.word_select(n, self.width).eq(count) for n, count in enumerate(sums)]
        return m
