"""Integer unpacker: splits beats of packed integers into words of an operand buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import ChunksLayout
from lowtide.formats.integers import PackedIntegers
from lowtide.netlist import Unit
from lowtide.units.logic import at_most, mux

__all__ = ["IntegerUnpacker"]


class IntegerUnpacker(Unit):
    """Integer unpacker: takes packed integers from beats of words, each vector from a new beat, and splits them.

    Each cycle, up to ``parallel`` words of the buffer leave, each with ``values`` integers. The integers beyond the
    length of a vector count as zero, and the rest of the vector's last beat is dropped.

    Parameters
    ----------
    width : int
        Bits of an integer.
    values : int
        Integers per word of the buffer, a power of two.
    numbers : int
        Words of 32 bits per beat, with at least ``values`` integers.
    max_k : int
        Maximum number of integers per vector.
    groups : int
        Maximum number of words of the buffer per vector.
    parallel : int
        Maximum number of words of the buffer per cycle, a power of two.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of an operand.
    length : In(range(max_k + 1))
        Integers per vector, at least 1; steady from ``start`` to the last word.
    groups : In(range(groups + 1))
        Words of the buffer per vector, at least 1; steady from ``start`` to the last word.
    i : In(stream of fp32_beat(numbers))
        Words of `PackedIntegers`, as bits of FP32 numbers. ``last`` is ignored.
    padding : In(1)
        High if the words of the beat count as zero.
    o : Out(stream of ChunksLayout(word, parallel))
        Words of the buffer, one cycle after their beat at the earliest. ``last`` is high with the last of a vector.

    Attributes
    ----------
    word : Layout
        Word of the buffer: ``values`` integers, the first in the lowest bits.
    """

    def __init__(self, width: int, values: int, numbers: int, max_k: int, groups: int, parallel: int = 1):
        self.width, self.values, self.numbers, self.max_k, self.parallel = width, values, numbers, max_k, parallel
        self.packed = PackedIntegers(width=width)
        self.word = data.ArrayLayout(width, values)
        self.words = numbers * self.packed.per_word // values
        """Words of the buffer per beat."""
        self.module_name = f"integer_unpacker_w{width}_v{values}_n{numbers}_k{max_k}_g{groups}_p{parallel}"
        super().__init__(
            {
                "start": In(1),
                "length": In(range(max_k + 1)),
                "groups": In(range(groups + 1)),
                "i": In(stream.Signature(fp32_beat(numbers))),
                "padding": In(1),
                "o": Out(stream.Signature(ChunksLayout(self.word, parallel))),
            }
        )

    def cycles(self, groups: int) -> list[int]:
        """Return the cycles from a vector's first beat until each of its words has left."""
        per_cycle = min(self.words, self.parallel)
        return [n // per_cycle + 1 for n in range(groups)]

    def elaborate(self, platform):
        m = Module()
        most = min(self.words, self.parallel)  # words per cycle
        parts = self.words // most
        part = Signal(range(parts))
        left = Signal.like(self.groups)  # remaining words of the vector, including the words of this cycle
        full = Signal()
        accepts = Signal()
        ends = Signal()
        takes = Signal()
        next_beat = Signal()
        m.d.comb += [
            accepts.eq(~full | self.o.ready),
            takes.eq(accepts & self.i.valid),
            ends.eq(at_most(left, most)),
            next_beat.eq(ends | (part == parts - 1)),
            self.i.ready.eq(accepts & next_beat),
            self.o.valid.eq(full),
        ]
        with m.If(accepts):
            m.d.sync += [
                full.eq(self.i.valid),
                self.o.payload.chunk.eq(Cat(self._words(part, parts, most, left))),
                self.o.payload.count.eq(Mux(ends, left, most)),
                self.o.payload.last.eq(ends),
            ]
        with m.If(takes):
            m.d.sync += [part.eq(Mux(next_beat, 0, part + 1)), left.eq(Mux(ends, self.groups, left - most))]
        with m.If(self.start):
            m.d.sync += [full.eq(0), part.eq(0), left.eq(self.groups)]
        return m

    def _words(self, part: Value, parts: int, most: int, left: Value) -> list[Value]:
        """Return the words of the buffer that leave in this cycle."""
        beat = Cat(number.as_value() for number in self.i.payload.number)
        integers = [
            beat.word_select(n, self.packed.bits)[: self.width] & ~self.padding.replicate(self.width)
            for n in range(self.words * self.values)
        ]
        words = []
        for n in range(most):
            last = left == n + 1
            for lane in range(self.values):
                at = [integers[(step * most + n) * self.values + lane] for step in range(parts)]
                words.append(mux(at, part) & ~(last & self._beyond(lane)).replicate(self.width))
        return words

    def _beyond(self, lane: int) -> Value:
        """Whether a lane of the last word of a vector is beyond the vector's length."""
        rest = self.length[: (self.values - 1).bit_length()]  # integers in the last word, 0 for all
        return rest.any() & at_most(rest, lane)
