"""Buffers of streams: a register slice, a skid buffer of two entries, and a FIFO in memory."""

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import stream
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Fifo", "RegisterSlice", "SkidBuffer"]


class RegisterSlice(Unit):
    """Register slice: registers words, and passes ``ready`` on; at full rate.

    No timing path leads from the input's words to the output. A `SkidBuffer` also registers ``ready``.

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
        self.module_name = f"register_slice_{Shape.cast(shape).width}"
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        word = Signal(Shape.cast(self.i.payload.shape()).width, reset_less=True)
        m.d.comb += [self.i.ready.eq(~full | self.o.ready), self.o.valid.eq(full), self.o.payload.eq(word)]
        with m.If(self.i.ready):
            m.d.sync += [full.eq(self.i.valid), word.eq(self.i.payload)]
        return m


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
