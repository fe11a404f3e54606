"""StreamDownsizer: deals the columns of a row out to lanes, one to each in a cycle."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["StreamDownsizer", "check_lanes"]

CHOICE = 8
"""Most columns of which one is chosen in a cycle."""


def check_lanes(key: str, lanes: int, columns: int, of: str = "columns") -> None:
    """Refuse a number of lanes, of that name, that does not divide the columns, which have a name too."""
    if columns % lanes:
        divisors = ", ".join(str(n) for n in range(1, columns + 1) if columns % n == 0)
        raise IllegalValue(key, f"a divisor of {of} = {columns}: one of {divisors}", lanes)


class StreamDownsizer(Unit):
    """Gives the columns of each row, ``lanes`` in a cycle, column 0 first.

    A row waits where it is offered until its last beat is chosen from it, so that none is stored here. Each lane
    has every ``lanes``-th column, and chooses among them of up to 8 a cycle, in registered steps; where it has one
    there are none.

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
        Cycles from a row offered to its first beat.
    """

    def __init__(self, columns: int, width: int, lanes: int):
        self.columns, self.width, self.lanes = columns, width, lanes
        self.beats = columns // lanes
        self.module_name = f"stream_downsizer_{columns}x{width}_n{lanes}"
        self.latency = -(-(self.beats - 1).bit_length() // (CHOICE - 1).bit_length())
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
        chosen = [columns[n :: self.lanes] for n in range(self.lanes)]
        index, valid = beat, self.i.valid
        for _ in range(self.latency):
            chosen = [_chosen(m, words, index, move) for words in chosen]
            index = delayed(m, index[(CHOICE - 1).bit_length() :], enable=move)
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid = there
        m.d.comb += [
            self.words.eq(Cat(words[0] for words in chosen)),
            self.valid.eq(valid),
            self.row.eq(delayed(m, last_beat, self.latency, enable=move)),
            self.last.eq(delayed(m, row.last & last_beat, self.latency, enable=move)),
        ]
        return m


def _chosen(m: Module, words: Sequence[Value], index: Value, move: Value) -> list[Value]:
    """Of every `CHOICE` words, the one of that index, a cycle later."""
    groups = [words[n : n + CHOICE] for n in range(0, len(words), CHOICE)]
    return [delayed(m, mux(group, index), enable=move) for group in groups]
