"""Operand queue: words on their way into an engine. Those of a frame count once the frame is known to be good."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["OperandQueue", "OperandWord"]


class OperandWord(data.StructLayout):
    """A number of an operand.

    Members
    -------
    number : 32 bits
    last : 1 bit
        The operand ends with it.
    side : 1 bit
        Of B.
    """

    def __init__(self):
        super().__init__({"number": 32, "last": 1, "side": 1})


class OperandQueue(Unit):
    """Keeps words; those since the last ``keep`` or ``forget`` are given only after ``keep``.

    Parameters
    ----------
    words : int
        Its place, a power of two.

    Members
    -------
    i, write_operand : In(OperandWord), In(1)
        A word. Without a place for it, it is lost, and ``keep`` is not allowed.
    keep, forget : In(1)
        All words up to now count; those that do not, are forgotten. Not in a cycle with ``write_operand``.
    over : Out(1)
        A word was lost since the last ``keep`` or ``forget``.
    room : Out(range(words + 1))
        Places for further words.
    a, b : Out(stream of {number: 32 bits, last: 1 bit})
        Words that count, in their order: those of A wait for those of B before them.
    """

    def __init__(self, words: int):
        self.words = words
        self.module_name = f"operand_queue_{words}"
        side = stream.Signature(data.StructLayout({"number": 32, "last": 1}))
        super().__init__(
            {
                "i": In(OperandWord()),
                "write_operand": In(1),
                "keep": In(1),
                "forget": In(1),
                "over": Out(1),
                "room": Out(range(words + 1)),
                "a": Out(side),
                "b": Out(side),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=OperandWord().size, depth=self.words, init=[])
        write, read = memory.write_port(), memory.read_port()
        # Places have a bit more than addresses, so that full is not empty.
        written = Signal(range(2 * self.words))
        kept = Signal.like(written)
        taken = Signal.like(written)  # read from memory
        # A memory is slow to answer: a word goes on to a register before anything depends on it.
        there = Signal()  # one is in the memory's output
        given = Signal()  # one is in the register
        word = Signal(OperandWord(), reset_less=True)
        passes = Signal()
        lost = Signal()
        fetch = Signal()
        takes = Signal()
        m.d.comb += [
            self.room.eq(self.words - (written - taken)[: len(taken)]),
            self.over.eq(lost),
            write.en.eq(self.write_operand & (self.room != 0)),
            write.addr.eq(written),
            write.data.eq(self.i),
            read.addr.eq(taken),
            read.en.eq(fetch),
            fetch.eq((taken != kept) & (~there | passes)),
            passes.eq(there & (~given | takes)),
            takes.eq(Mux(word.side, self.b.ready, self.a.ready)),
            self.a.valid.eq(given & ~word.side),
            self.b.valid.eq(given & word.side),
            *(Cat(o.payload.number, o.payload.last).eq(Cat(word.number, word.last)) for o in (self.a, self.b)),
        ]
        with m.If(self.write_operand):
            m.d.sync += [written.eq(written + write.en), lost.eq(lost | ~write.en)]
        with m.If(self.keep):
            m.d.sync += kept.eq(written)
        with m.If(self.forget):
            m.d.sync += written.eq(kept)
        with m.If(self.keep | self.forget):
            m.d.sync += lost.eq(0)
        m.d.sync += [there.eq(fetch | (there & ~passes)), given.eq(passes | (given & ~takes))]
        with m.If(passes):
            m.d.sync += word.eq(read.data)
        with m.If(fetch):
            m.d.sync += taken.eq(taken + 1)
        return m
