"""Slot: a place where a word of a stream waits, so that those behind it can move up."""

from typing import Any

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.hierarchy import Unit

__all__ = ["Slot"]


class Slot(Unit):
    """Keeps a word until it is taken, and takes the next one in the cycle in which it is.

    A pipeline whose stages all move together stalls with all the gaps between its words. With a slot behind it, gaps
    pass while a word waits.

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
        self.module_name = f"slot_{Shape.cast(shape).width}"
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        word = Signal(Shape.cast(self.i.payload.shape()).width, reset_less=True)
        m.d.comb += [self.i.ready.eq(~full | self.o.ready), self.o.valid.eq(full), self.o.payload.eq(word)]
        with m.If(self.i.ready):
            m.d.sync += [full.eq(self.i.valid), word.eq(self.i.payload)]
        return m
