"""Width converters: a stream upsizer collects numbers into groups, a downsizer splits rows into beats."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import FP32
from lowtide.formats.parameter import IllegalValue
from lowtide.netlist import Unit
from lowtide.units.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["StreamDownsizer", "StreamUpsizer", "check_lanes"]


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


MUX_INPUTS = 8
"""Largest number of columns of a multiplexer between registers."""


def check_lanes(key: str, lanes: int, columns: int, of: str = "columns") -> None:
    """Reject a number of lanes that does not divide the columns; ``key`` and ``of`` name the two parameters."""
    if columns % lanes:
        divisors = ", ".join(str(n) for n in range(1, columns + 1) if columns % n == 0)
        raise IllegalValue(key, f"a divisor of {of} = {columns}: one of {divisors}", lanes)


class StreamDownsizer(Unit):
    """Stream downsizer: sends the columns of each row, ``lanes`` per cycle, column 0 first.

    The unit does not store rows: the source must hold a row until it is accepted with its last beat. A lane selects
    from every ``lanes``-th column, by registered multiplexers of up to 8 inputs; a lane with one column has none.

    Parameters
    ----------
    columns : int
        Words of a row.
    width : int
        Bits of a word.
    lanes : int
        Words of a beat, a divisor of ``columns``.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(stream of {"data": columns * width, "last": 1})
        Rows, column 0 in the lowest bits.
    words : Out(lanes * width)
        Beat, lane 0 in the lowest bits. The first beat of a row follows ``latency`` cycles of ``enable`` after the row
        is offered, every other beat one cycle after the beat before it.
    valid : Out(1)
        High while a beat is on ``words``.
    row : Out(1)
        High with the last beat of a row.
    last : Out(1)
        High with the last beat of a row whose ``last`` is high.

    Attributes
    ----------
    latency : int
        Cycles from an offered row to its first beat.
    """

    def __init__(self, columns: int, width: int, lanes: int):
        self.columns, self.width, self.lanes = columns, width, lanes
        self.beats = columns // lanes
        self.module_name = f"stream_downsizer_{columns}x{width}_n{lanes}"
        self.latency = -(-(self.beats - 1).bit_length() // (MUX_INPUTS - 1).bit_length())
        layout = data.StructLayout({"data": columns * width, "last": 1})
        super().__init__(
            {
                "enable": In(1),
                "i": In(stream.Signature(layout)),
                "words": Out(lanes * width),
                "valid": Out(1),
                "row": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        move, row = self.enable, self.i.payload
        beat = Signal(range(self.beats))
        last_beat = Signal()
        m.d.comb += [last_beat.eq(beat == self.beats - 1), self.i.ready.eq(move & last_beat)]
        with m.If(move & self.i.valid):
            m.d.sync += beat.eq(Mux(last_beat, 0, beat + 1))

        columns = [row.data.word_select(column, self.width) for column in range(self.columns)]
        selected = [columns[n :: self.lanes] for n in range(self.lanes)]
        index, valid = beat, self.i.valid
        for _ in range(self.latency):
            selected = [_selected(m, words, index, move) for words in selected]
            index = delayed(m, index[(MUX_INPUTS - 1).bit_length() :], enable=move)
            present = Signal(name="present")
            with m.If(move):
                m.d.sync += present.eq(valid)
            valid = present
        m.d.comb += [
            self.words.eq(Cat(words[0] for words in selected)),
            self.valid.eq(valid),
            self.row.eq(delayed(m, last_beat, self.latency, enable=move)),
            self.last.eq(delayed(m, row.last & last_beat, self.latency, enable=move)),
        ]
        return m


def _selected(m: Module, words: Sequence[Value], index: Value, move: Value) -> list[Value]:
    """Return the indexed word of every `MUX_INPUTS` words, a cycle later."""
    groups = [words[n : n + MUX_INPUTS] for n in range(0, len(words), MUX_INPUTS)]
    return [delayed(m, mux(group, index), enable=move) for group in groups]
