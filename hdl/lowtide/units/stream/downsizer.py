"""Stream downsizer: splits rows into beats of fewer words."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue
from lowtide.netlist import Unit
from lowtide.units.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["StreamDownsizer", "check_lanes"]

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
