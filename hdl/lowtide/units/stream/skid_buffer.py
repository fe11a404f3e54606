"""Skid buffer: two-entry register slice of a stream."""

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["SkidBuffer"]


class SkidBuffer(Unit):
    """Skid buffer: two-entry register slice, which registers ``ready`` and closes bubbles while the output stalls.

    A pipeline whose stages advance together keeps its bubbles while it stalls. With a skid buffer after the pipeline,
    the bubbles close while a word waits. ``i.ready`` is a register, so that no timing path leads from the last stage's
    ``ready`` to the first stage. The second entry stores the word that arrives in the cycle in which ``ready`` falls.

    Parameters
    ----------
    shape : shape-like
        Shape of a word.

    Members
    -------
    i, o : In(stream of shape), Out(stream of shape)
        Words, each one cycle later.
    """

    def __init__(self, shape: Any):
        self.module_name = f"skid_buffer_{Shape.cast(shape).width}"
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        width = Shape.cast(self.i.payload.shape()).width
        full = Signal()
        word = Signal(width, reset_less=True)
        over = Signal()  # the second entry is full
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
