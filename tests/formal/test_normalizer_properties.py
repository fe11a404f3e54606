"""Proofs about the normalizers: shift, rounding, order of results; no result is lost or duplicated."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.arithmetic.saturating_counter import SaturatingCounter
from lowtide.units.conversion.fp32_rounder import Fp32Rounder
from lowtide.units.conversion.leading_zero_shifter import LeadingZeroShifter
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams
from lowtide.units.stream.delay import delayed


class ShiftIsExact(wiring.Component):
    """The result is the ones' complement, shifted by the distance of ``stays``, with its leading bit on top."""

    def __init__(self, width):
        self.width = width
        super().__init__({"i": In(signed(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = LeadingZeroShifter(self.width)
        m.d.comb += [dut.enable.eq(1), dut.i.eq(self.i)]
        acc = delayed(m, self.i, dut.latency)
        started = delayed(m, Const(1), dut.latency)
        length = max(self.width - 1, 25)
        shift, shifted, inverted = Signal(dut.places), Signal(length), Signal(length)
        lead = Signal(self.width - 1 + 2**dut.places)
        m.d.comb += [
            shift.eq(2**dut.places - 1 - dut.stays),
            shifted.eq(acc[:-1] << length - (self.width - 1) << shift),
            inverted.eq(shifted ^ acc[-1].replicate(length)),
            lead.eq((acc[:-1] ^ acc[-1].replicate(self.width - 1)) << shift),
        ]
        below = shifted[:-25].any() if length > 25 else 0
        nothing_lost = lead >> self.width - 1 == 0
        right = (dut.significand == inverted[-25:]) & (dut.inexact == below) & (dut.sign == acc[-1]) & nothing_lost
        m.d.comb += Assert(~started | Mux(acc == 0, dut.significand == 0, right & dut.significand[-1]))
        return m


@pytest.mark.parametrize("width", [2, 9, 27, 35])
def test_shift_is_exact(prove, width):
    prove(ShiftIsExact(width), depth=LeadingZeroShifter(width).latency + 2)


class RoundingIsNearest(wiring.Component):
    """The error is at most half a unit in the last place; ties round to even; results stay in range."""

    def __init__(self, places):
        self.places = places
        super().__init__(
            {
                "significand": In(25),
                "sign": In(1),
                "inexact": In(1),
                "stays": In(places),
                "scale": In(signed(10)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Fp32Rounder(self.places)
        for name in ("significand", "sign", "inexact", "stays"):
            m.d.comb += getattr(dut, name).eq(getattr(self, name))
        m.d.comb += [dut.enable.eq(1), dut.lowest.eq(self.scale + 90)]
        significand, sign, inexact = (
            delayed(m, value, dut.latency) for value in (self.significand, self.sign, self.inexact)
        )
        field = Signal(signed(12))
        m.d.comb += field.eq(dut.lowest + dut.stays)
        field = delayed(m, field, dut.latency)
        started = delayed(m, Const(1), dut.latency)

        # In quarters of the significand's last place; an odd quarter represents any value between its neighbors.
        exact = Signal(29)
        m.d.comb += exact.eq((significand << 2) + Mux(inexact, 2, Mux(sign, 4, 0)))
        kept = Signal(25)  # the result's significand in its last place, from 2**23 to 2**24
        carried, more = Signal(), Signal(signed(30))
        m.d.comb += [
            carried.eq((dut.o.fraction == 0) & (significand >= (1 << 25) - 2)),
            kept.eq(Mux(carried, 1 << 24, Cat(dut.o.fraction, Const(1, 1)))),
            more.eq((kept << 3) - exact),
        ]
        nearest = (more < 4) & (more > -4) | ((more == 4) | (more == -4)) & ~kept[0]
        inside = ~dut.overflow & ~dut.underflow
        exponent = Signal(signed(13))
        m.d.comb += exponent.eq(field + carried)
        zero = ~significand[-1]
        number = dut.o.as_value()
        m.d.comb += [
            Assume(~started | ~zero | (significand == 0)),
            Assert(~started | zero | ~inside | (nearest & (dut.o.exponent == exponent) & (dut.o.sign == sign))),
            Assert(~started | zero | ~inside | ((exponent >= 1) & (exponent <= 254))),
            Assert(~started | ~dut.overflow | ((number == Cat(Const(0, 23), Const(255, 8), sign)) & (field >= 254))),
            Assert(~started | ~dut.underflow | ((number == 0) & (field <= 0))),
            Assert(~started | zero | ((field < 255) | dut.overflow) & ((field >= 0) | dut.underflow)),
            Assert(~started | ~zero | ((number == 0) & inside)),
        ]
        return m


@pytest.mark.parametrize("places", [1, 6])
def test_rounding_is_nearest(prove, places):
    prove(RoundingIsNearest(places), depth=Fp32Rounder.latency + 2)


class RoundingTwiceIsRoundingOnce(wiring.Component):
    """A number that is rounded to odd rounds to the integer to which the accumulator rounds, up to 2**16 in size."""

    def __init__(self, width):
        self.width = width
        super().__init__({"i": In(signed(width)), "shift": In(range(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Normalizer(NormalizerParams(width=self.width), rounds_to_odd=True)
        m.d.comb += [dut.i.valid.eq(1), dut.i.payload.data.eq(self.i), dut.o.ready.eq(1), dut.odd.eq(1)]
        acc, shift = delayed(m, self.i, dut.latency), delayed(m, self.shift, dut.latency)
        started = delayed(m, Const(1), dut.latency)
        number, exact, found = dut.o.payload.data, Signal(self.width), Signal(self.width)
        above = number.exponent - 150  # exponent of the significand's lowest bit
        significand = Mux(number.exponent == 0, 0, Cat(number.fraction, 1))
        m.d.comb += [
            exact.eq(abs(acc)),
            found.eq(Mux(above < 0, significand >> (-above)[:6].as_unsigned(), significand << above[:3])),
            Assert(~started | (_rounded(exact, shift) == _rounded(found, shift))),
            Assert(~started | ((acc == 0) == (found == 0))),
            Assert(~started | (number.sign == (acc < 0))),
        ]
        return m


def _rounded(value, shift):
    """A value divided by a power of two, rounded to nearest, ties to even, and at most 2**16."""
    doubled = Cat(Const(0, 1), value)
    quotient, half = value >> shift, (doubled >> shift)[0]
    rest = (doubled & ((1 << shift) - 1)[: len(doubled)]).any()
    rounded = quotient + (half & (rest | quotient[0]))
    return Mux(rounded > 2**16, 2**16, rounded)


@pytest.mark.parametrize("width", [27, pytest.param(30, marks=pytest.mark.slow)])
def test_rounding_twice_is_rounding_once(prove, width):
    prove(RoundingTwiceIsRoundingOnce(width), depth=Normalizer(NormalizerParams(width=width)).latency + 2)


class LargerStaysLarger(wiring.Component):
    """A larger accumulator at an equal scale never gives a smaller number."""

    def __init__(self, width):
        self.width = width
        super().__init__({"less": In(signed(width)), "more": In(signed(width)), "scale": In(signed(10))})

    def elaborate(self, platform):
        m = Module()
        ordered = []
        for name in ("less", "more"):
            m.submodules[name] = dut = Normalizer(NormalizerParams(width=self.width))
            m.d.comb += [
                dut.i.payload.data.eq(getattr(self, name)),
                dut.scale.eq(self.scale),
                dut.i.valid.eq(1),
                dut.o.ready.eq(1),
            ]
            magnitude, order = dut.o.payload.data.as_value()[:31], Signal(signed(33), name=f"order_{name}")
            m.d.comb += order.eq(Mux(dut.o.payload.data.sign, -magnitude, magnitude))
            ordered.append(order)
        started = delayed(m, Const(1), dut.latency)
        m.d.comb += [Assume(self.less <= self.more), Assert(~started | (ordered[0] <= ordered[1]))]
        return m


@pytest.mark.parametrize("width", [6, pytest.param(27, marks=pytest.mark.slow)])
def test_larger_stays_larger(prove, width):
    prove(LargerStaysLarger(width), depth=Normalizer(NormalizerParams(width=width)).latency + 2)


class NothingIsLost(wiring.Component):
    """For any stalls on both sides, the n-th number belongs to the n-th accumulator."""

    def __init__(self, width):
        self.width = width
        super().__init__(
            {
                "index": In(4),
                "acc": In(signed(width)),
                "scale": In(signed(10)),
                "last": In(1),
                "valid": In(1),
                "ready": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Normalizer(NormalizerParams(width=self.width))
        m.d.comb += [
            dut.i.payload.data.eq(self.acc),
            dut.i.payload.last.eq(self.last),
            dut.i.valid.eq(self.valid),
            dut.scale.eq(self.scale),
            dut.o.ready.eq(self.ready),
        ]
        m.d.comb += Assume((self.index == delayed(m, self.index)) | ~delayed(m, Const(1)))
        taken, given = Signal(5), Signal(5)
        acc, scale, last = Signal(signed(self.width)), Signal(signed(10)), Signal()
        with m.If(self.valid & dut.i.ready):
            m.d.sync += taken.eq(taken + 1)
            with m.If(taken == self.index):
                m.d.sync += [acc.eq(self.acc), scale.eq(self.scale), last.eq(self.last)]
        with m.If(dut.o.valid & self.ready):
            m.d.sync += given.eq(given + 1)

        number, expected = dut.o.payload.data, Signal(32)
        size, field, up = Signal(range(self.width)), Signal(signed(12)), Signal(range(24))
        magnitude = Signal(self.width)
        m.d.comb += magnitude.eq(Mux(acc < 0, -acc, acc))
        for bit in range(self.width):
            with m.If(magnitude[bit]):
                m.d.comb += size.eq(bit)
        m.d.comb += [field.eq(scale + 127 + size), up.eq(23 - size)]
        with m.If(magnitude != 0):
            with m.If(field >= 255):
                m.d.comb += expected.eq(Cat(Const(0, 23), Const(255, 8), acc < 0))
            with m.Elif(field > 0):
                m.d.comb += expected.eq(Cat((magnitude << up)[:23], field[:8], acc < 0))
        here = dut.o.valid & (given == self.index)
        m.d.comb += [
            Assert(given <= taken),
            Assert(~dut.o.valid | (given < taken)),
            Assert(~here | ((number.as_value() == expected) & (dut.o.payload.last == last))),
        ]
        offered = Signal()  # but not accepted in the previous cycle; a reset withdraws the offer
        m.d.sync += offered.eq(dut.o.valid & ~self.ready)
        m.d.comb += Assert(
            ~offered | (dut.o.valid & (dut.o.payload.as_value() == delayed(m, dut.o.payload.as_value())))
        )
        return m


@pytest.mark.slow
def test_nothing_is_lost(prove):
    prove(NothingIsLost(4), depth=9)


class RowsAreTakenApart(wiring.Component):
    """For any stalls on both sides, the n-th beat has the right column and row."""

    def __init__(self, columns, normalizers):
        self.shape = RowNormalizerParams(columns=columns, normalizers=normalizers, width=2)
        super().__init__({"index": In(4), "row": In(self.shape.layout_i), "valid": In(1), "ready": In(1)})

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        m.submodules.dut = dut = RowNormalizer(shape)
        m.d.comb += [dut.i.payload.eq(self.row), dut.i.valid.eq(self.valid), dut.o.ready.eq(self.ready)]
        held = delayed(m, self.valid & ~dut.i.ready)  # a row stays offered until it is accepted
        m.d.comb += [
            Assume((self.index == delayed(m, self.index)) | ~delayed(m, Const(1))),
            Assume(~held | (self.valid & (self.row.as_value() == delayed(m, self.row.as_value())))),
        ]
        taken, given, beat = Signal(5), Signal(5), Signal(range(shape.beats))
        with m.If(self.valid & dut.i.ready):
            m.d.sync += taken.eq(taken + shape.beats)
        with m.If(dut.o.valid & self.ready):
            m.d.sync += [given.eq(given + 1), beat.eq(Mux(beat == shape.beats - 1, 0, beat + 1))]

        # The n-th beat, from the offered or accepted row.
        first = Signal(5)
        words, last = Signal(len(self.row.data)), Signal()
        with m.If(self.valid & (taken <= self.index) & (self.index < taken + shape.beats)):
            m.d.sync += [first.eq(taken), words.eq(self.row.data), last.eq(self.row.last)]
        column = (self.index - first)[: (shape.beats - 1).bit_length() or 1] if shape.beats > 1 else Const(0, 1)
        here = dut.o.valid & (given == self.index)
        ends = beat == shape.beats - 1
        for lane in range(shape.normalizers):
            acc = words.word_select(column * shape.normalizers + lane, 2)
            expected = Signal(32, name=f"expected_{lane}")
            with m.Switch(acc):
                for value, bits in enumerate((0, 0x3F800000, 0xC0000000, 0xBF800000)):
                    with m.Case(value):
                        m.d.comb += expected.eq(bits)
            m.d.comb += Assert(~here | (dut.o.payload.lane[lane].as_value() == expected))
        m.d.comb += [
            Assert(~here | ((dut.o.payload.row == ends) & (dut.o.payload.last == (ends & last)))),
            Assert(~dut.o.valid | (given < taken + shape.beats)),
        ]
        return m


@pytest.mark.parametrize(
    ("columns", "normalizers"),
    [(2, 1), *(pytest.param(*shape, marks=pytest.mark.slow) for shape in [(3, 1), (4, 2), (2, 2)])],
)
def test_rows_are_taken_apart(prove, columns, normalizers):
    prove(RowsAreTakenApart(columns, normalizers), depth=13)


class CountIsTheSum(wiring.Component):
    """The count is the number of ones since a reset or a clear, saturated at its maximum."""

    def __init__(self, events, width):
        self.dut = SaturatingCounter(events, width)
        super().__init__({"events": In(events), "clear": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        m.d.comb += [dut.events.eq(self.events), dut.clear.eq(self.clear)]
        ones = Signal(range(len(self.events) + 1))
        m.d.comb += ones.eq(sum(self.events))
        for _ in range(dut.latency - 1):  # a reset also discards results in the pipeline
            earlier = Signal.like(ones)
            m.d.sync += earlier.eq(ones)
            ones = earlier
        total = Signal(8)
        m.d.sync += total.eq(Mux(self.clear, 0, total) + ones)
        largest = (1 << len(dut.count)) - 1
        m.d.comb += [Assume(total < 200), Assert(dut.count == Mux(total > largest, largest, total))]
        return m


@pytest.mark.parametrize(("events", "width"), [(1, 2), (3, 3)])
def test_count_is_the_sum(prove, events, width):
    prove(CountIsTheSum(events, width), depth=14)
