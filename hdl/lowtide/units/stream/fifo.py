"""FIFO: queue of words."""

from amaranth.hdl import Module, Signal
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Fifo"]


class Fifo(Unit):
    """FIFO: Amaranth's queue in memory, followed by a register, without ``ready`` on the input.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words that the queue can always store.

    Members
    -------
    i_valid, i_data : In(1), In(width)
        Word to store. The sender must not exceed ``depth`` stored words.
    o_valid, o_ready, o_data : Out(1), In(1), Out(width)
        Oldest word; zero from a reset until the first word.

    Attributes
    ----------
    latency : int
        Cycles from a word to the word on the output, if the queue is empty.
    """

    latency = 2

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        self.module_name = f"fifo_{depth}x{width}"
        super().__init__(
            {"i_valid": In(1), "i_data": In(width), "o_valid": Out(1), "o_ready": In(1), "o_data": Out(width)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = fifo = SyncFIFO(width=self.width, depth=self.depth)
        # A reset clears the output register, because a read of the empty memory would load an unknown value.
        full, word = Signal(), Signal(self.width)
        m.d.comb += [
            fifo.w_en.eq(self.i_valid),
            fifo.w_data.eq(self.i_data),
            fifo.r_en.eq(~full | self.o_ready),
            self.o_valid.eq(full),
            self.o_data.eq(word),
        ]
        with m.If(fifo.r_en):
            m.d.sync += full.eq(fifo.r_rdy)
            with m.If(fifo.r_rdy):
                m.d.sync += word.eq(fifo.r_data)
        return m
