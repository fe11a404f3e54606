"""Words of a serial line as the beats of an engine's streams, and beats as words."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.intake import numbers_layout
from lowtide.hierarchy import Unit

__all__ = ["BeatPacker", "BeatUnpacker"]


class BeatPacker(Unit):
    """Puts numbers together to beats. A beat is complete with its last number, or with that of the operand.

    Parameters
    ----------
    numbers : int
        Numbers of a beat.

    Members
    -------
    i : In(stream of {number: 32 bits, last: 1 bit})
        Numbers.
    o : Out(stream of numbers_layout(numbers))
        Beats. What a beat has beyond the operand's last number, is of the beat before.
    """

    def __init__(self, numbers: int):
        self.numbers = numbers
        self.module_name = f"beat_packer_{numbers}"
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"number": 32, "last": 1}))),
                "o": Out(stream.Signature(numbers_layout(numbers))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        beat = Signal(numbers_layout(self.numbers))
        at = Signal(range(self.numbers))
        m.d.comb += [self.i.ready.eq(~full | self.o.ready), self.o.valid.eq(full), self.o.payload.eq(beat)]
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
    """Takes beats apart.

    Parameters
    ----------
    numbers : int
        Numbers of a beat.

    Members
    -------
    i : In(stream of numbers_layout(numbers))
        Beats; ``last`` is not looked at.
    o : Out(stream of 32 bits)
        Their numbers.
    """

    def __init__(self, numbers: int):
        self.numbers = numbers
        self.module_name = f"beat_unpacker_{numbers}"
        super().__init__({"i": In(stream.Signature(numbers_layout(numbers))), "o": Out(stream.Signature(32))})

    def elaborate(self, platform):
        m = Module()
        at = Signal(range(self.numbers))
        words = Array(number.as_value() for number in self.i.payload.number)
        last = at == self.numbers - 1
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.o.payload.eq(words[at]),
            self.i.ready.eq(self.o.ready & last),
        ]
        with m.If(self.o.valid & self.o.ready):
            with m.If(last):
                m.d.sync += at.eq(0)
            with m.Else():
                m.d.sync += at.eq(at + 1)
        return m
