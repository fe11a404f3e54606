"""Transposer: reorders an operand that arrives across the reduction axis so that it leaves along it."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.engine.buffer import NO_COLLISIONS
from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit
from lowtide.units.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["Transposer"]


class Transposer(Unit):
    """Transposer: passes an operand in order, or reorders a transposed operand into groups along the reduction.

    Each row of a transposed stream has one number of every vector, and ``lanes`` rows make a group per vector. The
    transposer stores ``lanes`` rows and then sends the first group of each vector, and so on with the next rows.
    Missing rows of the last group are zero. The next ``lanes`` rows arrive meanwhile.

    Number ``m`` of row ``k`` is stored in memory ``k mod numbers``, in a word with its neighbors of that row. So each
    number of a beat present from its own memory, all at one address, and one index selects each number from its word.

    Parameters
    ----------
    lanes, numbers : int
        Numbers per group and per beat: powers of two, the second no larger.
    depth : int
        Longest row of a transposed stream, a power of two of at least ``numbers``.
    most_rows, most_vectors : int
        Maximum numbers per vector, and vectors, of any operand.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of an operand.
    transposed : In(1)
        High to reorder the operand; stable until its last beat.
    rows : In(range(most_rows + 1))
        Rows of a transposed stream, the numbers per vector; stable until the last beat.
    vectors : In(range(most_vectors + 1))
        Vectors of a transposed operand, at most ``depth``; stable until the last beat.
    i : In(stream of fp32_beat(numbers))
        Operand; ``last`` is high with the last beat of each row.
    o : Out(stream of fp32_beat(numbers))
        Operand in order; or groups of ``lanes / numbers`` beats each. ``last`` is high with the last beat of each row,
        or of the groups of all vectors.
    """

    def __init__(self, lanes: int, numbers: int, depth: int, most_rows: int, most_vectors: int):
        self.lanes, self.numbers, self.depth = lanes, numbers, depth
        self.module_name = f"transposer_{lanes}_{numbers}_{depth}_{most_rows}x{most_vectors}"
        layout = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "transposed": In(1),
                "rows": In(range(most_rows + 1)),
                "vectors": In(range(most_vectors + 1)),
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        full = [Signal(name=f"full_{half}") for half in range(2)]
        count = [Signal(range(self.lanes + 1), name=f"count_{half}") for half in range(2)]  # rows
        memories = []
        for n in range(self.numbers):
            words = 2 * (self.lanes // self.numbers) * (self.depth // self.numbers)
            m.submodules[f"numbers_{n}"] = memory = Memory(
                shape=self.numbers * 32, depth=words, init=[], attrs=NO_COLLISIONS
            )
            memories.append((memory.write_port(), memory.read_port()))
        taken = self._write(m, full, count, [write for write, _ in memories])
        valid, payload = self._read(m, full, count, [read for _, read in memories])
        m.d.comb += [
            self.i.ready.eq(Mux(self.transposed, taken, self.o.ready)),
            self.o.valid.eq(Mux(self.transposed, valid, self.i.valid)),
            self.o.payload.eq(Mux(self.transposed, payload, self.i.payload)),
        ]
        return m

    def _write(self, m: Module, full: Sequence[Value], count: Sequence[Value], ports: Sequence[Any]) -> Value:
        """Write rows into a half until a group or the operand is complete; return whether a beat is accepted."""
        half = Signal()
        left = Signal.like(self.rows)  # remaining rows
        row = Signal(range(self.lanes))
        column = Signal(range(self.depth // self.numbers))
        take = Signal()
        m.d.comb += take.eq(self.transposed & ~Mux(half, *full[::-1]))
        n, beat = _split(row, self.numbers)
        for port, own in zip(ports, range(self.numbers), strict=True):
            m.d.comb += [
                port.en.eq(take & self.i.valid & (n == own)),
                port.addr.eq(Cat(column, beat, half)),
                port.data.eq(self.i.payload.number),
            ]
        with m.If(take & self.i.valid):
            m.d.sync += column.eq(column + 1)
            with m.If(self.i.payload.last):
                m.d.sync += [column.eq(0), row.eq(row + 1), left.eq(left - 1)]
                with m.If((row == self.lanes - 1) | (left == 1)):
                    m.d.sync += [row.eq(0), half.eq(~half)]
                    for which in range(2):
                        with m.If(half == which):
                            m.d.sync += [full[which].eq(1), count[which].eq(row + 1)]
        with m.If(self.start):
            m.d.sync += left.eq(self.rows)
        return take

    def _read(
        self, m: Module, full: Sequence[Value], count: Sequence[Value], ports: Sequence[Any]
    ) -> tuple[Value, Value]:
        """Send the group of each vector from a full half; return whether a beat is valid, and its payload."""
        half = Signal()
        read = Signal()  # the memory outputs are valid
        valid = Signal()  # the registers behind the memories are valid
        move = Signal()
        pass_on = Signal()
        beat = Signal(range(self.lanes // self.numbers))
        vector = Signal(range(self.depth))
        available = Signal()
        last_beat = Signal()
        last_vector = Signal()
        index, column = _split(vector, self.numbers)
        m.d.comb += [
            available.eq(Mux(half, *full[::-1])),
            last_beat.eq(beat == self.lanes // self.numbers - 1),
            last_vector.eq(vector + 1 == self.vectors),
            pass_on.eq(~valid | self.o.ready),
            move.eq(~read | pass_on),
        ]
        with m.If(move):
            m.d.sync += read.eq(available)
        with m.If(pass_on):
            m.d.sync += valid.eq(read)
        with m.If(move & available):
            m.d.sync += beat.eq(beat + 1)
            with m.If(last_beat):
                m.d.sync += [beat.eq(0), vector.eq(vector + 1)]
                with m.If(last_vector):
                    m.d.sync += [vector.eq(0), half.eq(~half)]
                    for which in range(2):
                        with m.If(half == which):
                            m.d.sync += full[which].eq(0)

        def later(value: Value) -> Value:
            """Delay a value along with the words read now."""
            return delayed(m, delayed(m, value, enable=move), enable=pass_on)

        chosen = later(index)
        payload = Signal(self.o.payload.shape())
        m.d.comb += payload.last.eq(later(last_beat & last_vector))
        for n, port in enumerate(ports):
            m.d.comb += [port.en.eq(move), port.addr.eq(Cat(column, beat, half))]
            row = beat * self.numbers + n
            present = later(row < Mux(half, *count[::-1]))
            # The memories are slow and spread out: register their words before the multiplexers.
            word = delayed(m, port.data, enable=pass_on)
            number = data.View(FP32, mux([word.word_select(k, 32) for k in range(self.numbers)], chosen))
            m.d.comb += [
                payload.number[n].eq(number),
                payload.number[n].exponent.eq(Mux(present, number.exponent, 0)),  # counts as zero without
            ]
        return valid, payload


def _split(place: Value, size: int) -> tuple[Value, Value]:
    """Split an index at a power of two into remainder and quotient; each may have no bits."""
    bits = (size - 1).bit_length()
    return place[:bits], place[bits:]
