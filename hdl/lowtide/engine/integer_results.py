"""Integer results: converts the results of a product to packed integers along N."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.group_assembler import GroupAssembler
from lowtide.engine.params import EngineParams
from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import BIAS, SPECIAL
from lowtide.formats.integers import PackedIntegers
from lowtide.formats.packed import WORD
from lowtide.netlist import Unit, place
from lowtide.units.requantization.rounding_shifter import RoundingShifter
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.width_converters import StreamUpsizer

__all__ = ["IntegerResults"]

SIGNIFICAND = 24
"""Bits of the significand of FP32."""

PLACES = 5
"""Bits of the shift: every number of 24 bits divided by 2**31 is rounded to 0."""


class IntegerResults(Unit):
    """Integer results: converts FP32 results to integers along N, and packs the integers into words.

    An integer is ``number / 2**bias``, rounded to nearest, ties to even, and saturated at
    ``+-(2**(width-1) - 1)``; a NaN is 0. A `RoundingShifter` converts one number per cycle.

    The tiles arrive in row order. A word has integers of one row, see `PackedIntegers`. The words leave in the order of
    a `GroupAssembler`: for each row of tiles, word 0 of each row, then word 1 of each row, and so on; only words with
    results of the product. The word order within a row is the order of operand A of a later product.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    width : int
        Bits of an integer.
    params : EngineParams
        Numbers per beat, buffer depth, and whether the engine has post operations.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of a product. Only while ``busy`` is low.
    bias : In(signed(9))
        Exponent of the integers' scale; steady from ``start`` until ``busy`` is low, as ``relu``, ``vectors`` and
        ``length``.
    relu : In(1)
        While high, a negative number becomes 0 and is not counted as saturated.
    vectors : In(range(rows * params.buffer_depth + 1))
        Rows of the product.
    length : In(range(columns * params.buffer_depth + 1))
        Columns of the product.
    i : In(stream of fp32_beat(params.output_width))
        Results, column 0 of a row first. ``last`` is ignored.
    o : Out(stream of fp32_beat(params.output_width))
        Words, as bits of FP32 numbers, without gaps; zeros fill the last beat. ``last`` is high with the last beat of a
        product.
    busy : Out(1)
        High from the cycle after ``start`` until the last beat is accepted on ``o``.
    saturated : Out(1)
        Pulses for one cycle with an integer that is saturated.
    """

    def __init__(self, rows: int, columns: int, width: int, params: EngineParams):
        numbers = params.output_width
        self.packed = PackedIntegers(width=width)
        vectors, length = rows * params.buffer_depth, columns * params.buffer_depth
        self.assembler = GroupAssembler(rows, columns, numbers, self.packed.per_word, vectors, length)
        self._shifter = RoundingShifter(SIGNIFICAND + 1, PLACES, width)
        self._upsizer = StreamUpsizer(numbers, 1)
        self.module_name = f"integer_results_{self.assembler.module_name}_w{width}"
        beat = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "bias": In(signed(9)),
                "relu": In(1),
                "vectors": In(range(vectors + 1)),
                "length": In(range(length + 1)),
                "i": In(stream.Signature(beat)),
                "o": Out(stream.Signature(beat)),
                "busy": Out(1),
                "saturated": Out(1),
            }
        )

    @property
    def converter_latency(self) -> int:
        """Cycles from a number of the assembler to its integer in a word."""
        return 1 + self._shifter.latency + 1

    def elaborate(self, platform):
        m = Module()
        move = Signal()
        assembler = place(
            m,
            platform,
            "assembler",
            self.assembler,
            start=self.start,
            vectors=self.vectors,
            length=self.length,
            i=self.i,
            o__ready=move,
        )
        number = assembler.o.payload.number
        special = number.exponent == SPECIAL
        counts = number.exponent.any() & ~(special & number.fraction.any())  # neither zero nor NaN
        magnitude = Mux(counts, Cat(number.fraction, 1), 0)
        shift = Signal(signed(11))
        clipped = Signal(PLACES)
        m.d.comb += [
            shift.eq(BIAS + SIGNIFICAND - 1 + self.bias - number.exponent),
            # An infinity, unshifted, saturates.
            clipped.eq(Mux((shift < 0) | special, 0, Mux(shift >= 2**PLACES, 2**PLACES - 1, shift))),
        ]
        shifter = place(
            m,
            platform,
            "shifter",
            self._shifter,
            enable=move,
            i=delayed(m, Mux(number.sign, -magnitude, magnitude)[: SIGNIFICAND + 1].as_signed(), enable=move),
            shift=delayed(m, clipped, enable=move),
            relu=self.relu,
        )

        valid, ends = assembler.o.valid, assembler.o.payload.group
        for _ in range(1 + self._shifter.latency):
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid, ends = there, delayed(m, ends, enable=move)

        # Integers shift into a word; the first one ends in the lowest bits.
        words = self._upsizer.i
        bits = self.packed.bits
        word = Signal(WORD, reset_less=True)
        value = Signal(signed(bits))
        full = Signal()
        count = Signal(range(8))  # words that are complete in the assembler, and not yet in the upsizer
        enters, leaves = Signal(), Signal()
        m.d.comb += [
            value.eq(shifter.o),
            move.eq(~full | words.ready),
            enters.eq(assembler.o.valid & move & assembler.o.payload.group),
            leaves.eq(full & words.ready),
            self.saturated.eq(valid & move & shifter.saturated),
        ]
        m.d.sync += count.eq(count + enters - leaves)
        with m.If(move):
            m.d.sync += full.eq(valid & ends)
            with m.If(valid):
                m.d.sync += word.eq(Cat(word[bits:], value))
        upsizer = place(
            m,
            platform,
            "upsizer",
            self._upsizer,
            # The last word of a product is the only word after the assembler is no longer busy.
            i__payload=Cat(word, ~assembler.busy & (count == 1)),
            i__valid=full,
            o__ready=self.o.ready,
        )
        busy = Signal()
        with m.If(self.o.valid & self.o.ready & self.o.payload.last):
            m.d.sync += busy.eq(0)
        with m.If(self.start):
            m.d.sync += busy.eq(1)
        m.d.comb += [
            self.i.ready.eq(assembler.i.ready),
            self.o.payload.number.eq(upsizer.o.payload.lane),
            self.o.payload.last.eq(upsizer.o.payload.last),
            self.o.valid.eq(upsizer.o.valid),
            self.busy.eq(busy),
        ]
        return m
