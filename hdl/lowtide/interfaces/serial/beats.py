"""Words of a serial line as the beats of an engine's streams, and beats as words."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit

__all__ = ["BeatPacker", "BeatUnpacker"]


class BeatPacker(Unit):
    """Puts numbers together to beats. A beat is complete with its last number, or with that of the operand.

    The next one is begun when it is taken: ``i.ready`` is a register, and what an engine waits for does not reach the
    line. Numbers come from there much more slowly.

    Parameters
    ----------
    numbers : int
        Numbers of a beat.

    Members
    -------
    i : In(stream of {number: 32 bits, last: 1 bit})
        Numbers.
    o : Out(stream of fp32_beat(numbers))
        Beats. What a beat has beyond the operand's last number, is of the beat before.
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
    """Takes beats apart, each before the next: ``i.ready`` is a register, so that the line does not hold up an engine.

    Parameters
    ----------
    numbers : int
        Numbers of a beat.

    Members
    -------
    i : In(stream of fp32_beat(numbers))
        Beats; ``last`` is not looked at.
    o : Out(stream of 32 bits)
        Their numbers.
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
