"""Result queue: stores results until the host acknowledges them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["POSITION", "ResultQueue"]

POSITION = 16
"""Width of a position in bits."""


class ResultQueue(Unit):
    """Result queue: stores the results of an engine; each has a position, which counts from reset and wraps at 2^16.

    Parameters
    ----------
    words : int
        Depth, a power of two below 2^16.

    Members
    -------
    i : In(stream of 32)
        Results. Space that ``discard`` frees is available two cycles later.
    position : In(POSITION)
        Position of the result to read.
    received : In(POSITION)
        Position up to which results may be discarded.
    oldest : Out(POSITION)
        Position of the oldest stored result, or of the next one.
    legal : Out(1)
        High if ``received`` is the position of a stored result or of the next one; one cycle after ``received``.
    available : Out(range(words + 1))
        Number of stored results from ``position`` on, 0 if that one is not stored; one cycle after ``position``.
    discard : In(1)
        Pulses for one cycle to discard the results before ``received``. Only if ``received`` is legal.
    word : Out(32)
        Result at ``position``, one cycle later.
    """

    def __init__(self, words: int):
        self.words = words
        self.module_name = f"result_queue_{words}"
        super().__init__(
            {
                "i": In(stream.Signature(32)),
                "position": In(POSITION),
                "received": In(POSITION),
                "oldest": Out(POSITION),
                "legal": Out(1),
                "available": Out(range(words + 1)),
                "discard": In(1),
                "word": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=self.words, init=[])
        write, read = memory.write_port(), memory.read_port()
        next_one = Signal(POSITION)
        from_here = Signal(POSITION)
        stored = Signal(POSITION)
        full = Signal()  # a register, to keep the subtraction off the write path
        m.d.comb += [
            self.i.ready.eq(~full),
            write.en.eq(self.i.valid & ~full),
            write.addr.eq(next_one),
            write.data.eq(self.i.payload),
            read.addr.eq(self.position),
            read.en.eq(1),
            self.word.eq(read.data),
            from_here.eq(next_one - self.position),
            stored.eq(next_one - self.oldest),
        ]
        m.d.sync += [
            full.eq(Mux(write.en, stored == self.words - 1, stored == self.words)),
            next_one.eq(next_one + write.en),
            self.available.eq(Mux(from_here <= stored, from_here, 0)),
            self.legal.eq((next_one - self.received)[:POSITION] <= stored),
        ]
        with m.If(self.discard):
            m.d.sync += self.oldest.eq(self.received)
        return m
