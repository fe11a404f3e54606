"""A queue of words."""

from amaranth.hdl import Module
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lowtide.hierarchy import Unit

__all__ = ["Queue"]


class Queue(Unit):
    """First in, first out: Amaranth's queue in memory, as a unit with a stream on either side.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words that it takes for certain.

    Members
    -------
    i_valid, i_data : In(1), In(width)
        A word to keep. It has a place while fewer than ``depth`` are kept: whoever sends it sees to that.
    o_valid, o_ready, o_data : Out(1), In(1), Out(width)
        The oldest word.

    Attributes
    ----------
    latency : int
        Cycles from a word to that word offered, if none is kept.
    """

    latency = 2

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        self.module_name = f"queue_{depth}x{width}"
        super().__init__(
            {"i_valid": In(1), "i_data": In(width), "o_valid": Out(1), "o_ready": In(1), "o_data": Out(width)}
        )

    def elaborate(self, platform):
        m = Module()
        # Of its depth one word is in a register behind the memory, and for a cycle that may be empty.
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=self.width, depth=self.depth + 1)
        m.d.comb += [
            fifo.w_en.eq(self.i_valid),
            fifo.w_data.eq(self.i_data),
            fifo.r_en.eq(self.o_ready),
            self.o_valid.eq(fifo.r_rdy),
            self.o_data.eq(fifo.r_data),
        ]
        return m
