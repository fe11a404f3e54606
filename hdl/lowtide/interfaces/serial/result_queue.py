"""Result queue: words on their way out of an engine, kept until they are known to have come."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["POSITION", "ResultQueue"]

POSITION = 16
"""Bits of a word's position."""


class ResultQueue(Unit):
    """Keeps the results of an engine. Each has a position, which counts from reset on and wraps at 2^16.

    Parameters
    ----------
    words : int
        Its place, a power of two below 2^16.

    Members
    -------
    i : In(stream of 32 bits)
        Results. A place that ``forget`` makes is open two cycles later.
    position : In(16)
        Of the word that is looked at.
    word, held : Out(32), Out(range(words + 1))
        That word, and how many are kept from it on: none if it is not. In the cycle after the position.
    came : In(16)
        A position, before which words may be forgotten.
    legal : Out(1)
        It is that of a word that is kept, or of the next one that will come. In the cycle after it.
    forget : In(1)
        Forget them. Only if ``came`` is legal.
    oldest : Out(16)
        Position of the oldest word that is kept, or of the next one.
    """

    def __init__(self, words: int):
        self.words = words
        self.module_name = f"result_queue_{words}"
        super().__init__(
            {
                "i": In(stream.Signature(32)),
                "position": In(POSITION),
                "came": In(POSITION),
                "oldest": Out(POSITION),
                "legal": Out(1),
                "held": Out(range(words + 1)),
                "forget": In(1),
                "word": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=self.words, init=[])
        write, read = memory.write_port(), memory.read_port()
        next_one = Signal(POSITION)
        from_here = Signal(POSITION)
        kept = Signal(POSITION)
        full = Signal()  # a register, so that no subtraction stands between a word and its place
        m.d.comb += [
            self.i.ready.eq(~full),
            write.en.eq(self.i.valid & ~full),
            write.addr.eq(next_one),
            write.data.eq(self.i.payload),
            read.addr.eq(self.position),
            read.en.eq(1),
            self.word.eq(read.data),
            from_here.eq(next_one - self.position),
            kept.eq(next_one - self.oldest),
        ]
        m.d.sync += [
            full.eq(Mux(write.en, kept == self.words - 1, kept == self.words)),
            next_one.eq(next_one + write.en),
            self.held.eq(Mux(from_here <= kept, from_here, 0)),
            self.legal.eq((next_one - self.came)[:POSITION] <= kept),
        ]
        with m.If(self.forget):
            m.d.sync += self.oldest.eq(self.came)
        return m
