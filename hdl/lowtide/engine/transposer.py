"""Transposer: an operand that comes across its reduction, as if it came along it."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["Transposer"]


class Transposer(Unit):
    """Passes an operand on; or, if it is read across, as groups along the reduction.

    Across, a run of the operand has a number of every line, and a group is ``lanes`` runs. They are kept until all of
    them have come, and go on line by line: the first group of each line, then the second. What a last group has
    no runs for is zero. Meanwhile the next ``lanes`` runs come.

    Number ``m`` of run ``k`` is in memory ``k mod numbers``, in a word with its neighbors of the run. So the numbers
    of a line that make a beat come from a memory each, all at one address, and each is chosen from a word by one index.

    Parameters
    ----------
    lanes, numbers : int
        Numbers of a group, and of a beat; powers of two, the second no larger.
    most : int
        Longest run across, a power of two, and no less than ``numbers``.
    most_runs, most_lines : int
        Most numbers of a line, and most lines, of any operand.

    Members
    -------
    start : In(1)
        An operand begins, in a later cycle.
    transposed : In(1)
        It is read across; steady while it is passed on, as all that follows is.
    runs, length : In(range(most_runs + 1)), In(range(most_lines + 1))
        Across, the numbers of a line, and how many lines there are, ``most`` at most.
    i : In(stream of {number, last})
        The operand, ``last`` with the last beat of each run.
    o : Out(stream of {number, last})
        The operand, or its groups, each of ``lanes / numbers`` beats; ``last`` with the last beat of each run, or with
        that of all lines' groups.
    """

    def __init__(self, lanes: int, numbers: int, most: int, most_runs: int, most_lines: int):
        self.lanes, self.numbers, self.most = lanes, numbers, most
        self.module_name = f"transposer_{lanes}_{numbers}_{most}_{most_runs}x{most_lines}"
        layout = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "transposed": In(1),
                "runs": In(range(most_runs + 1)),
                "length": In(range(most_lines + 1)),
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        full = [Signal(name=f"full_{half}") for half in range(2)]
        count = [Signal(range(self.lanes + 1), name=f"count_{half}") for half in range(2)]  # runs
        memories = []
        for n in range(self.numbers):
            depth = 2 * (self.lanes // self.numbers) * (self.most // self.numbers)
            m.submodules[f"numbers_{n}"] = memory = Memory(shape=self.numbers * 32, depth=depth, init=[])
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
        """Keep runs in a half until it has as many as a group, or all there are; say whether a beat is taken."""
        half = Signal()
        left = Signal.like(self.runs)  # runs that are to come
        run = Signal(range(self.lanes))
        column = Signal(range(self.most // self.numbers))
        take = Signal()
        m.d.comb += take.eq(self.transposed & ~Mux(half, *full[::-1]))
        n, beat = _split(run, self.numbers)
        for port, own in zip(ports, range(self.numbers), strict=True):
            m.d.comb += [
                port.en.eq(take & self.i.valid & (n == own)),
                port.addr.eq(Cat(column, beat, half)),
                port.data.eq(self.i.payload.number),
            ]
        with m.If(take & self.i.valid):
            m.d.sync += column.eq(column + 1)
            with m.If(self.i.payload.last):
                m.d.sync += [column.eq(0), run.eq(run + 1), left.eq(left - 1)]
                with m.If((run == self.lanes - 1) | (left == 1)):
                    m.d.sync += [run.eq(0), half.eq(~half)]
                    for which in range(2):
                        with m.If(half == which):
                            m.d.sync += [full[which].eq(1), count[which].eq(run + 1)]
        with m.If(self.start):
            m.d.sync += left.eq(self.runs)
        return take

    def _read(
        self, m: Module, full: Sequence[Value], count: Sequence[Value], ports: Sequence[Any]
    ) -> tuple[Value, Value]:
        """Give the group of each line out of a full half; what moves all, whether there is a beat, and that."""
        half = Signal()
        read = Signal()  # words are in the memories' outputs
        valid = Signal()  # words are in the registers behind them
        move = Signal()
        pass_on = Signal()
        beat = Signal(range(self.lanes // self.numbers))
        line = Signal(range(self.most))
        there = Signal()
        last_beat = Signal()
        last_line = Signal()
        index, column = _split(line, self.numbers)
        m.d.comb += [
            there.eq(Mux(half, *full[::-1])),
            last_beat.eq(beat == self.lanes // self.numbers - 1),
            last_line.eq(line + 1 == self.length),
            pass_on.eq(~valid | self.o.ready),
            move.eq(~read | pass_on),
        ]
        with m.If(move):
            m.d.sync += read.eq(there)
        with m.If(pass_on):
            m.d.sync += valid.eq(read)
        with m.If(move & there):
            m.d.sync += beat.eq(beat + 1)
            with m.If(last_beat):
                m.d.sync += [beat.eq(0), line.eq(line + 1)]
                with m.If(last_line):
                    m.d.sync += [line.eq(0), half.eq(~half)]
                    for which in range(2):
                        with m.If(half == which):
                            m.d.sync += full[which].eq(0)

        def later(value: Value) -> Value:
            """With the words that are read now."""
            return delayed(m, delayed(m, value, enable=move), enable=pass_on)

        chosen = later(index)
        payload = Signal(self.o.payload.shape())
        m.d.comb += payload.last.eq(later(last_beat & last_line))
        for n, port in enumerate(ports):
            m.d.comb += [port.en.eq(move), port.addr.eq(Cat(column, beat, half))]
            run = beat * self.numbers + n
            comes = later(run < Mux(half, *count[::-1]))
            # A memory is slow to answer, and many are far away: a cycle's work, before anything is chosen.
            word = delayed(m, port.data, enable=pass_on)
            number = data.View(FP32, mux([word.word_select(k, 32) for k in range(self.numbers)], chosen))
            m.d.comb += [
                payload.number[n].eq(number),
                payload.number[n].exponent.eq(Mux(comes, number.exponent, 0)),  # counts as zero without
            ]
        return valid, payload


def _split(place: Value, size: int) -> tuple[Value, Value]:
    """A place modulo a power of two, and the rest of it; each may have no bits."""
    bits = (size - 1).bit_length()
    return place[:bits], place[bits:]
