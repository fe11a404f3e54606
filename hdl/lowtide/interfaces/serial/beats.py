"""Beat packer and unpacker: convert between serial words and the beats of an engine's streams."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit

__all__ = ["BeatPacker", "BeatUnpacker"]


class BeatPacker(Unit):
    """Beat packer: packs numbers into beats. A beat is complete with its last number, or with the last of the operand.

    The packer accepts the next number only after a complete beat is accepted. So ``i.ready`` is a register, and a
    stalled engine is not on the timing path of the queue. Numbers arrive much more slowly than beats are accepted.

    Parameters
    ----------
    numbers : int
        Numbers per beat.

    Members
    -------
    i : In(stream of {"number": 32, "last": 1})
        Numbers.
    o : Out(stream of fp32_beat(numbers))
        Beats. Numbers beyond the last number of the operand are left over from the previous beat.
    """

    def __init__(self, numbers: int):
        self.numbers = numbers
        self.module_name = f"beat_packer_{numbers}"
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"number": 32, "last": 1}))),
                "o": Out(stream.Signature(fp32_beat(numbers))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        beat = Signal(fp32_beat(self.numbers))
        at = Signal(range(self.numbers))
        m.d.comb += [self.i.ready.eq(~full), self.o.valid.eq(full), self.o.payload.eq(beat)]
        with m.If(self.o.ready):
            m.d.sync += full.eq(0)
        with m.If(self.i.valid & self.i.ready):
            complete = self.i.payload.last | (at == self.numbers - 1)
            m.d.sync += [full.eq(complete), beat.last.eq(self.i.payload.last)]
            with m.Switch(at):
                for n in range(self.numbers):
                    with m.Case(n):
                        m.d.sync += beat.number[n].as_value().eq(self.i.payload.number)
            with m.If(complete):
                m.d.sync += at.eq(0)
            with m.Else():
                m.d.sync += at.eq(at + 1)
        return m


class BeatUnpacker(Unit):
    """Beat unpacker: splits beats into numbers, one beat at a time, so that ``i.ready`` is a register.

    Parameters
    ----------
    numbers : int
        Numbers per beat.

    Members
    -------
    i : In(stream of fp32_beat(numbers))
        Beats; ``last`` is ignored.
    o : Out(stream of 32)
        Numbers.
    """

    def __init__(self, numbers: int):
        self.numbers = numbers
        self.module_name = f"beat_unpacker_{numbers}"
        super().__init__({"i": In(stream.Signature(fp32_beat(numbers))), "o": Out(stream.Signature(32))})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self.numbers + 1))
        words = Signal(32 * self.numbers, reset_less=True)
        m.d.comb += [self.o.valid.eq(left != 0), self.o.payload.eq(words), self.i.ready.eq(left == 0)]
        with m.If(self.i.ready):
            m.d.sync += words.eq(Cat(self.i.payload.number))
            with m.If(self.i.valid):
                m.d.sync += left.eq(self.numbers)
        with m.Elif(self.o.ready):
            m.d.sync += [words.eq(words >> 32), left.eq(left - 1)]
        return m
