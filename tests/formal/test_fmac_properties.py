"""Proofs about the FMAC and its parts, for all inputs."""

import attrs
import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, ResetSignal, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.formats import Bfp
from lowtide.units.arithmetic.aligner import Aligner
from lowtide.units.arithmetic.dot_product import DotProduct
from lowtide.units.arithmetic.ecp5_aligner import Ecp5Aligner
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.stream.delay import delayed

SMALL = Bfp(lanes=4, mantissa=2, exponent=1, max_k=4)


class DotProductIsTheSum(wiring.Component):
    """The result is the sum of the products of its beat."""

    def __init__(self, bfp):
        self.bfp = bfp
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = DotProduct(self.bfp)
        total = Signal.like(dut.o)
        products = []
        for a, b in zip(self.a.lane, self.b.lane, strict=True):
            magnitude = a.magnitude * b.magnitude
            products.append(Mux(a.sign ^ b.sign, -magnitude, magnitude))
        m.d.comb += [dut.a.eq(self.a), dut.b.eq(self.b), total.eq(sum(products))]
        started = delayed(m, Signal(init=1), dut.latency)
        m.d.comb += Assert(~started | (dut.o == delayed(m, total, dut.latency)))
        return m


@pytest.mark.parametrize("adder_levels", [1, 2, 3])
@pytest.mark.parametrize(("chunk_a", "chunk_b"), [(1, 1), (2, 1), pytest.param(1, 3, marks=pytest.mark.slow)])
def test_dot_product_is_the_sum_of_products(prove, chunk_a, chunk_b, adder_levels):
    bfp = Bfp(lanes=4, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=6, adder_levels=adder_levels)
    prove(DotProductIsTheSum(bfp), depth=6)


class AlignerIsAShift(wiring.Component):
    """The result is the value times a power of two."""

    def __init__(self, *parameters, unit=Aligner, **registers):
        self.dut = unit(*parameters, **registers)
        super().__init__({"i": In(self.dut.i.shape()), "shift": In(self.dut.shift.shape())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        expected = Signal.like(dut.o)
        m.d.comb += [dut.i.eq(self.i), dut.shift.eq(self.shift), expected.eq(self.i << self.shift)]
        m.d.comb += Assume(self.shift <= dut.max_shift)
        m.d.comb += Assert(dut.o == delayed(m, expected, dut.latency))
        return m


@pytest.mark.parametrize("parameters", [(9, 18, 35), (9, 18, 20), (13, 14, 35), (3, 2, 6)])
def test_aligner_is_a_shift(prove, parameters):
    prove(AlignerIsAShift(*parameters), depth=5)


@pytest.mark.parametrize("input_register", [False, True])
@pytest.mark.parametrize("output_register", [False, True])
def test_aligner_with_fewer_registers_is_a_shift(prove, input_register, output_register):
    aligner = AlignerIsAShift(9, 18, 35, input_register=input_register, output_register=output_register)
    prove(aligner, depth=5)


@pytest.mark.parametrize("parameters", [(3, 17, 20), (3, 18, 21), (9, 18, 35)])
def test_aligner_in_a_block_is_a_shift(prove, parameters):
    prove(AlignerIsAShift(*parameters, unit=Ecp5Aligner), depth=5)


class ZerosChangeNothing(wiring.Component):
    """From power-up, beats of zero magnitude with any signs, codes and restarts drain only zeros."""

    def __init__(self, bfp):
        self.bfp = bfp
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b), "restart": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Fmac(self.bfp)
        restart = delayed(m, self.restart, dut.restart_delay)
        m.d.comb += [dut.restart_i.eq(restart), dut.a_i.eq(self.a), dut.b_i.eq(self.b)]
        m.d.comb += [
            Assume((a.magnitude == 0) | (b.magnitude == 0)) for a, b in zip(self.a.lane, self.b.lane, strict=True)
        ]
        m.d.comb += [Assume(self.a.exponent <= self.bfp.max_code_a), Assume(self.b.exponent <= self.bfp.max_code_b)]
        m.d.comb += Assert(dut.drain_o == 0)
        return m


@pytest.mark.slow
@pytest.mark.parametrize("adder_levels", [1, 2, 14])
def test_zeros_drain_as_zero(prove, adder_levels):
    prove(ZerosChangeNothing(attrs.evolve(SMALL, adder_levels=adder_levels)), depth=14)


class TileIsExact(wiring.Component):
    """After a restart from power-up, tiles of three and two beats drain the sums of three and of all five beats.

    Further beats follow. The sums are running sums, modulo two to the power of the accumulator's width.
    """

    def __init__(self, bfp):
        self.bfp = bfp
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b)})

    def elaborate(self, platform):
        m = Module()
        bfp = self.bfp
        m.submodules.dut = dut = Fmac(bfp)
        now = Signal(range(32), reset_less=True)
        total = Signal(signed(bfp.accumulator), reset_less=True)
        products = []
        for a, b in zip(self.a.lane, self.b.lane, strict=True):
            magnitude = a.magnitude * b.magnitude
            products.append(Mux(a.sign ^ b.sign, -magnitude, magnitude))
        lasts = (3, 5)  # the cycles of the tiles' last beats; cycle 0 has a restart without a beat
        m.d.sync += now.eq(now + 1)
        m.d.comb += dut.restart_i.eq(Cat(now == last + dut.restart_delay for last in (0, *lasts)).any())
        with m.If(now > 0):
            m.d.comb += [dut.a_i.eq(self.a), dut.b_i.eq(self.b)]
            m.d.sync += total.eq(total + (sum(products) << (self.a.exponent + self.b.exponent)))
        m.d.comb += [Assume(self.a.exponent <= bfp.max_code_a), Assume(self.b.exponent <= bfp.max_code_b)]
        m.d.comb += Assume(~ResetSignal())  # a reset in a tile would clear its sum
        idle = Const(1)
        for last in lasts:
            running = Signal.like(total, name=f"running_{last}", reset_less=True)
            with m.If(now == last + 1):
                m.d.sync += running.eq(total)
            low, high = (now == last + n + dut.latency for n in (0, 1))
            m.d.comb += [
                Assert(~low | (dut.drain_o == running[: dut.half])),
                Assert(~high | (dut.drain_o == (running >> dut.half)[: dut.half])),
            ]
            idle &= ~(low | high)
        m.d.comb += Assert(~idle | (dut.drain_o == 0))
        return m


@pytest.mark.slow
@pytest.mark.parametrize("adder_levels", [1, 2, 14])
def test_a_tile_is_exact(prove, adder_levels):
    bfp = Bfp(lanes=4, chunk_a=1, chunk_b=1, mantissa=1, exponent=1, max_k=16, adder_levels=adder_levels)
    prove(TileIsExact(bfp), depth=Fmac(bfp).latency + 8)
