"""Stream upsizer: packs beats of numbers into wider groups."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit

__all__ = ["StreamUpsizer"]


class StreamUpsizer(Unit):
    """Stream upsizer: packs the numbers of several beats into a group, and pads a vector's last group with zeros.

    Parameters
    ----------
    lanes : int
        Numbers of a group.
    numbers : int
        Numbers of a beat, a divisor of ``lanes``.

    Members
    -------
    i : In(stream of {"number": ArrayLayout(FP32, numbers), "last": 1})
        Beats; ``last`` marks the last beat of a vector.
    o : Out(stream of {"lane": ArrayLayout(FP32, lanes), "last": 1})
        Groups, each one cycle after its last beat; ``last`` marks the last group of a vector. The unit accepts one beat
        per cycle while groups are accepted.
    """

    def __init__(self, lanes: int, numbers: int):
        self.lanes, self.numbers = lanes, numbers
        self.module_name = f"stream_upsizer_{lanes}_{numbers}"
        group = data.StructLayout({"lane": data.ArrayLayout(FP32, lanes), "last": 1})
        super().__init__(
            {"i": In(stream.Signature(fp32_beat(numbers))), "o": Out(stream.Signature(group))},
        )

    def elaborate(self, platform):
        m = Module()
        beats = self.lanes // self.numbers
        beat = Signal(range(beats))  # next beat of the group
        full = Signal()
        last = Signal()
        take = Signal()
        ends = Signal()
        m.d.comb += [
            self.i.ready.eq(~full | self.o.ready),
            take.eq(self.i.valid & self.i.ready),
            ends.eq((beat == beats - 1) | self.i.payload.last),
            self.o.valid.eq(full),
            self.o.payload.last.eq(last),
        ]
        with m.If(take):
            m.d.sync += [beat.eq(beat + 1), full.eq(ends), last.eq(self.i.payload.last)]
            with m.If(ends):
                m.d.sync += beat.eq(0)
        with m.Elif(self.o.ready):
            m.d.sync += full.eq(0)

        # The writes do not depend on `valid`: until a beat arrives, each cycle overwrites the write before. A group
        # that is not full does not wait, and the first beat of the next group waits until a full group is accepted.
        begins = Signal()
        m.d.comb += begins.eq((beat == 0) & self.i.ready)
        for n in range(beats):
            for lane, number in enumerate(self.i.payload.number):
                element = Signal(FP32, name=f"lane_{n * self.numbers + lane}", reset_less=True)
                m.d.comb += self.o.payload.lane[n * self.numbers + lane].eq(element)
                with m.If(begins if n == 0 else beat == n):
                    m.d.sync += element.eq(number)
                with m.Elif(begins):
                    m.d.sync += element.eq(0)
        return m
