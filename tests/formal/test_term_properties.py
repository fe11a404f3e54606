"""Proofs about terms: encodings keep the value, HESE has the fewest digits, and selections keep the largest terms."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.stream.delay import delayed
from lowtide.units.terms.digit_value import DigitValue, DigitValueParams
from lowtide.units.terms.encoder import Encoder, EncoderParams
from lowtide.units.terms.receding_water import RecedingWater, RecedingWaterParams
from lowtide.units.terms.serial_hese import SerialHese
from lowtide.units.terms.top_terms import TopTerms, TopTermsParams
from lowtide.units.terms.waterline import Waterline, WaterlineParams


class DigitsKeepTheValue(wiring.Component):
    """The digits of a magnitude sum to it, computed plainly and by `DigitValue`; HESE has no adjacent digits.

    No two neighbors means that no signed digits have fewer terms (Reitwiesner, 1960).
    """

    def __init__(self, shape):
        self.shape = shape
        super().__init__({"n": In(shape.width), "sign": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Encoder(self.shape)
        m.submodules.value = value = DigitValue(DigitValueParams(digits=self.shape.digits))
        total = sum(
            (Mux(dut.nonzero[i], Mux(dut.negative[i], -(1 << i), 1 << i), 0) for i in range(self.shape.digits)),
            Const(0),
        )
        m.d.comb += [
            dut.n.eq(self.n),
            value.nonzero.eq(dut.nonzero),
            value.negative.eq(dut.negative),
            value.sign.eq(self.sign),
            Assert(total == self.n),
            Assert(value.o == Mux(self.sign, -self.n, self.n)),
        ]
        if self.shape.encoding == "hese":
            m.d.comb += Assert((dut.nonzero & (dut.nonzero >> 1)) == 0)
        if self.shape.encoding == "booth":
            m.d.comb += Assert(~Cat(dut.nonzero[i : i + 2].all() for i in range(0, self.shape.width, 2)).any())
        return m


@pytest.mark.parametrize("width", [1, 8, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 7, 12, 15, 16))])
@pytest.mark.parametrize("encoding", ["binary", "booth", "hese"])
def test_digits_keep_the_value(prove, encoding, width):
    prove(DigitsKeepTheValue(EncoderParams(width=width, encoding=encoding)), depth=1)


class NothingHasFewerTerms(wiring.Component):
    """Any digits that sum to an equal magnitude have at least as many terms as HESE."""

    def __init__(self, width):
        self.width = width
        super().__init__({"n": In(width), "plus": In(width + 2), "minus": In(width + 2)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Encoder(EncoderParams(width=self.width))
        m.d.comb += [
            dut.n.eq(self.n),
            Assume(self.plus - self.minus == self.n),
            Assert(sum(dut.nonzero) <= sum(self.plus | self.minus)),
        ]
        return m


@pytest.mark.parametrize("width", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_nothing_has_fewer_terms(prove, width):
    prove(NothingHasFewerTerms(width), depth=1)


class SerialIsOneStep(wiring.Component):
    """One digit per cycle, with any pauses and any preceding input, gives the digits of the parallel encoder."""

    def __init__(self, width):
        self.width = width
        super().__init__({"n": In(width), "enable": In(1), "restart": In(1), "garbage": In(2)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = SerialHese()
        m.submodules.encoder = encoder = Encoder(EncoderParams(width=self.width))
        index = Signal(range(self.width + 1))
        magnitude = Signal(self.width)
        m.d.comb += [magnitude.eq(Mux(index == 0, self.n, delayed(m, magnitude))), encoder.n.eq(magnitude)]
        bits = Signal(2)
        m.d.comb += [
            bits.eq(magnitude >> index),
            dut.enable.eq(self.enable),
            dut.bits.eq(Mux(self.enable, bits, self.garbage)),
            dut.first.eq(Mux(self.enable, index == 0, self.garbage[0])),
        ]
        nonzero, negative = (
            encoder_plane.bit_select(index, 1) for encoder_plane in (encoder.nonzero, encoder.negative)
        )
        m.d.comb += Assert(~self.enable | ((dut.nonzero == nonzero) & (~nonzero | (dut.negative == negative))))
        with m.If(self.enable):
            m.d.sync += index.eq(Mux(self.restart | (index == self.width), 0, index + 1))
        return m


@pytest.mark.parametrize("width", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_serial_is_one_step(prove, width):
    prove(SerialIsOneStep(width), depth=width + 6)


def largest_are_kept(ones, kept, k, order):
    """Assert that only terms are kept, as many as the budget allows, and that no dropped term precedes a kept one."""
    dropped = ones & ~kept
    count, all_ = sum(kept), sum(ones)
    later = [kept[bit] for bit in order[1:]]
    # After a dropped term, no term is kept.
    in_order = [~dropped[bit] | ~Cat(later[n:]).any() for n, bit in enumerate(order[:-1])]
    return [
        Assert((kept & ~ones) == 0),
        Assert(count == Mux(all_ < k, all_, k)),
        *(Assert(holds) for holds in in_order),
    ]


class LargestOfAValue(wiring.Component):
    """A value keeps its largest terms, as many as allowed."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__({"nonzero": In(shape.digits), "s": In(range(shape.terms + 1))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = TopTerms(self.shape)
        m.d.comb += [dut.nonzero.eq(self.nonzero), dut.s.eq(self.s), Assume(self.s <= self.shape.terms)]
        m.d.comb += largest_are_kept(self.nonzero, dut.kept, self.s, range(self.shape.digits)[::-1])
        return m


@pytest.mark.parametrize(
    ("digits", "terms"),
    [(8, 4), *(pytest.param(*shape, marks=pytest.mark.slow) for shape in [(17, 9), (9, 9), (5, 2)])],
)
def test_largest_terms_of_a_value_are_kept(prove, digits, terms):
    prove(LargestOfAValue(TopTermsParams(digits=digits, terms=terms)), depth=1)


class LargestOfAGroup(wiring.Component):
    """A group keeps its largest terms, as many as its budget; among equal terms, the lowest indices."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__(
            {
                "nonzero": In(shape.group * shape.digits),
                "budget": In(range(shape.budget + 1)),
                "group": In(range(shape.group + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        digits, group = self.shape.digits, self.shape.group
        m.submodules.dut = dut = RecedingWater(self.shape)
        ones = Signal(group * digits)
        m.d.comb += [
            dut.nonzero.eq(self.nonzero),
            dut.budget.eq(self.budget),
            dut.group.eq(self.group),
            Assume((self.budget <= self.shape.budget) & (self.group <= group)),
            ones.eq(Cat(self.nonzero[bit] & (self.group > bit // digits) for bit in range(group * digits))),
        ]
        order = sorted(range(group * digits), key=lambda bit: (-(bit % digits), bit // digits))
        m.d.comb += largest_are_kept(ones, dut.kept, self.budget, order)
        return m


@pytest.mark.parametrize(
    ("digits", "group", "budget"),
    [
        (3, 3, 5),
        *(pytest.param(*shape, marks=pytest.mark.slow) for shape in [(8, 1, 8), (4, 3, 6), (2, 5, 4), (1, 12, 5)]),
    ],
)
def test_largest_terms_of_a_group_are_kept(prove, digits, group, budget):
    prove(LargestOfAGroup(RecedingWaterParams(digits=digits, group=group, budget=budget)), depth=1)


class LinesAreKept(wiring.Component):
    """For any stalls on both sides and any changes of settings, the n-th plane has exactly the terms to keep."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__(
            {
                "index": In(3),
                "line": In(shape.layout),
                "valid": In(1),
                "budget": In(range(shape.budget + 1)),
                "group": In(range(shape.group + 1)),
                "ready": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes, line = self.shape.group, self.line
        m.submodules.dut = dut = Waterline(self.shape)
        m.d.comb += [
            dut.i.payload.eq(line),
            dut.i.valid.eq(self.valid),
            dut.budget.eq(self.budget),
            dut.group.eq(self.group),
            dut.o.ready.eq(self.ready),
            Assume((self.index == delayed(m, self.index)) | ~delayed(m, Const(1))),
            Assume((self.budget <= self.shape.budget) & (self.group <= lanes)),
        ]

        # The definition, term by term, for the planes in order of acceptance.
        begun = Signal()  # a group has started
        left_before, group_before = Signal.like(self.budget), Signal.like(self.group)
        left, group = Mux(line.first, self.budget, left_before), Mux(line.first, self.group, group_before)
        kept = []
        for lane in range(lanes):
            kept.append(line.nonzero[lane] & (group > lane) & (left != 0))
            after = Signal.like(self.budget, name=f"left_{lane}")
            m.d.comb += after.eq(left - kept[-1])
            left = after
        taken, given = Signal(4), Signal(4)
        expected = Signal(self.shape.layout)
        m.d.comb += Assume(~self.valid | line.first | begun)
        with m.If(self.valid & dut.i.ready):
            m.d.sync += [begun.eq(1), left_before.eq(left), group_before.eq(group), taken.eq(taken + 1)]
            with m.If(taken == self.index):
                m.d.sync += [
                    expected.nonzero.eq(Cat(kept)),
                    expected.negative.eq(line.negative),
                    expected.first.eq(line.first),
                    expected.last.eq(line.last),
                ]
        with m.If(dut.o.valid & self.ready):
            m.d.sync += given.eq(given + 1)
        here = dut.o.valid & (given == self.index)
        held = Signal()  # offered but not accepted in the previous cycle; a reset withdraws the offer
        m.d.sync += held.eq(dut.o.valid & ~self.ready)
        same = dut.o.payload.as_value() == delayed(m, dut.o.payload.as_value())
        m.d.comb += [
            Assert(~dut.o.valid | (given < taken)),
            Assert(~here | (dut.o.payload.as_value() == expected.as_value())),
            Assert(~held | (dut.o.valid & same)),
        ]
        return m


@pytest.mark.slow
@pytest.mark.parametrize(("group", "budget"), [(1, 2), (2, 3)])
def test_lines_are_kept(prove, group, budget):
    prove(LinesAreKept(WaterlineParams(group=group, budget=budget)), depth=11)
