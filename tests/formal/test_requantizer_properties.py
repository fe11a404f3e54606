"""Proofs about the requantizers: rounding, saturation, order; no result is lost or duplicated."""

import pytest
from amaranth.hdl import Assert, Assume, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.arithmetic.multiplier import Multiplier
from lowtide.units.requantization.requantizer import Requantizer, RequantizerParams
from lowtide.units.requantization.rounding_shifter import RoundingShifter
from lowtide.units.stream.delay import delayed


class ProductIsExact(wiring.Component):
    """The output is the product of the factors."""

    def __init__(self, width, bits, product):
        self.dut = Multiplier(width, bits, product)
        super().__init__({"i": In(signed(width)), "by": In(bits)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        m.d.comb += [dut.enable.eq(1), dut.i.eq(self.i), dut.by.eq(self.by)]
        started = delayed(m, Const(1), dut.latency)
        product = delayed(m, self.i, dut.latency) * delayed(m, self.by, dut.latency)
        m.d.comb += Assert(~started | (dut.o == product))
        return m


@pytest.mark.parametrize(("width", "bits", "product"), [(6, 3, "adders"), (2, 1, "adders"), (18, 2, "inferred")])
def test_product_is_exact(prove, width, bits, product):
    prove(ProductIsExact(width, bits, product), depth=Multiplier(width, bits, product).latency + 2)


class ResultIsNearest(wiring.Component):
    """The error is at most half a unit, with ties to even; or the result is saturated with its sign, or cleared."""

    def __init__(self, in_width, places, width):
        self.dut = RoundingShifter(in_width, places, width)
        super().__init__({"i": In(signed(in_width)), "shift": In(places), "relu": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        m.d.comb += [dut.enable.eq(1), dut.i.eq(self.i), dut.shift.eq(self.shift), dut.relu.eq(self.relu)]
        i, shift, relu = (delayed(m, value, dut.latency) for value in (self.i, self.shift, self.relu))
        started = delayed(m, Const(1), dut.latency)
        limit, wide = 2 ** (dut.width - 1) - 1, signed(dut.in_width + 2**dut.places + dut.width + 2)

        # In halves of the integer's lowest place; a unit of the result equals 2 * 2**shift of them.
        unit, less, cleared = Signal(wide), Signal(wide), Signal()
        m.d.comb += [
            unit.eq(Const(2, 3) << shift),
            less.eq((i << 1) - (dut.o << shift << 1)),
            cleared.eq(relu & (i < 0)),
        ]
        half = unit >> 1
        nearest = (less < half) & (less > -half) | ((less == half) | (less == -half)) & ~dut.o[0]
        beyond = Mux(i < 0, (dut.o == -limit) & (less <= -half), (dut.o == limit) & (less >= half))
        m.d.comb += [
            Assert(~started | ((dut.o <= limit) & (dut.o >= -limit))),
            Assert(~started | ~relu | (dut.o >= 0)),
            Assert(~started | ~cleared | ((dut.o == 0) & ~dut.saturated)),
            Assert(~started | cleared | Mux(dut.saturated, beyond, nearest)),
        ]
        return m


@pytest.mark.parametrize(
    ("in_width", "places", "width"), [(7, 3, 3), (5, 3, 8), (9, 4, 2), pytest.param(44, 6, 8, marks=pytest.mark.slow)]
)
def test_result_is_nearest(prove, in_width, places, width):
    prove(ResultIsNearest(in_width, places, width), depth=RoundingShifter(in_width, places, width).latency + 2)


class LargerStaysLarger(wiring.Component):
    """With equal settings that keep all terms, a larger accumulator never gives a smaller result."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__(
            {"less": In(signed(shape.accumulator)), "more": In(signed(shape.accumulator)), **self._settings()}
        )

    def _settings(self):
        return {name: port for name, port in self.shape.settings.items() if name != "data_terms"}

    def elaborate(self, platform):
        m = Module()
        duts = []
        for name in ("less", "more"):
            m.submodules[name] = dut = Requantizer(self.shape)
            m.d.comb += [getattr(dut, port).eq(getattr(self, port)) for port in self._settings()]
            m.d.comb += [
                dut.i.payload.data.eq(getattr(self, name)),
                dut.data_terms.eq(self.shape.most_terms),
                dut.i.valid.eq(1),
                dut.o.ready.eq(1),
            ]
            duts.append(dut)
        started = delayed(m, Const(1), duts[0].latency)
        less, more = (dut.o.payload.data for dut in duts)
        m.d.comb += [Assume(self.less <= self.more), Assert(~started | (less <= more))]
        return m


@pytest.mark.parametrize(
    "shape",
    [
        RequantizerParams(width=3, accumulator=4, multiplier=2, product="adders"),
        pytest.param(RequantizerParams(width=4, accumulator=7, multiplier=4), marks=pytest.mark.slow),
    ],
    ids=["short", "longer"],
)
def test_larger_stays_larger(prove, shape):
    prove(LargerStaysLarger(shape), depth=Requantizer(shape).latency + 2)


class NothingIsLost(wiring.Component):
    """For any stalls on both sides, the n-th result belongs to the n-th accumulator and settings."""

    def __init__(self):
        self.shape = RequantizerParams(width=3, accumulator=3, multiplier=1, product="adders", encoding="binary")
        super().__init__(
            {
                "index": In(4),
                "acc": In(signed(3)),
                "last": In(1),
                "valid": In(1),
                "ready": In(1),
                **self.shape.settings,
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Requantizer(self.shape)
        m.d.comb += [getattr(dut, name).eq(getattr(self, name)) for name in self.shape.settings]
        m.d.comb += [
            dut.i.payload.data.eq(self.acc),
            dut.i.payload.last.eq(self.last),
            dut.i.valid.eq(self.valid),
            dut.o.ready.eq(self.ready),
        ]
        m.d.comb += Assume((self.index == delayed(m, self.index)) | ~delayed(m, Const(1)))
        taken, given = Signal(5), Signal(5)
        acc, last, relu = Signal(signed(3)), Signal(), Signal()
        # The shift is 0; the proof of rounding covers other shifts for narrower units.
        m.d.comb += Assume((self.shift == 0) & self.multiplier & (self.data_terms == self.shape.most_terms))
        with m.If(self.valid & dut.i.ready):
            m.d.sync += taken.eq(taken + 1)
            with m.If(taken == self.index):
                m.d.sync += [acc.eq(self.acc), last.eq(self.last), relu.eq(self.relu)]
        with m.If(dut.o.valid & self.ready):
            m.d.sync += given.eq(given + 1)

        expected = Mux(relu & (acc < 0), 0, Mux(acc == -4, -3, acc))
        here = dut.o.valid & (given == self.index)
        m.d.comb += [
            Assert(given <= taken),
            Assert(~dut.o.valid | (given < taken)),
            Assert(~here | ((dut.o.payload.data == expected) & (dut.o.payload.last == last))),
            Assert(~here | (dut.saturated == ((acc == -4) & ~relu))),
        ]
        offered = Signal()  # but not accepted in the previous cycle; a reset withdraws the offer
        m.d.sync += offered.eq(dut.o.valid & ~self.ready)
        kept = dut.o.payload.as_value() == delayed(m, dut.o.payload.as_value())
        m.d.comb += Assert(~offered | (dut.o.valid & kept))
        return m


def test_nothing_is_lost(prove):
    prove(NothingIsLost(), depth=11)
