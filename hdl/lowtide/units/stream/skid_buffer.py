"""SkidBuffer: a place where words of a stream wait, so that those behind can move up."""

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["SkidBuffer"]


class SkidBuffer(Unit):
    """Keeps a word until it is taken, and one more.

    A pipeline whose stages all move together stalls with all the gaps between its words. With a slot behind it, gaps
    pass while a word waits. And ``i.ready`` comes from a register, so that what depends on it is not a part of one long
    chain from the last stage to the first: the second word is the one that comes in the cycle in which that is known.

    Parameters
    ----------
    shape : shape-like
        Of a word.

    Members
    -------
    i, o : In(stream of shape), Out(stream of shape)
        Words, each a cycle later.
    """

    def __init__(self, shape: Any):
        self.module_name = f"skid_buffer_{Shape.cast(shape).width}"
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        width = Shape.cast(self.i.payload.shape()).width
        full = Signal()
        word = Signal(width, reset_less=True)
        over = Signal()  # there is one more
        second = Signal(width, reset_less=True)
        moves = Signal()
        m.d.comb += [
            self.i.ready.eq(~over),
            self.o.valid.eq(full),
            self.o.payload.eq(word),
            moves.eq(~full | self.o.ready),
        ]
        with m.If(moves):
            m.d.sync += [full.eq(over | self.i.valid), word.eq(Mux(over, second, self.i.payload)), over.eq(0)]
        with m.Elif(~over):
            m.d.sync += [over.eq(self.i.valid), second.eq(self.i.payload)]
        return m
