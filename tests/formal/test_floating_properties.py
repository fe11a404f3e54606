"""Proofs about floating-point sums, for all words of small formats: order, symmetry, and zeros."""

import pytest
from amaranth.hdl import Assert, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.floating.mac import FloatMac, FloatMacParams
from lowtide.units.stream.delay import delayed


def ordered(view):
    """A word as an integer with the order of the numbers; zeros of both signs map to zero."""
    magnitude = Mux(view.exponent.any(), view.as_value()[:-1], 0)
    return Mux(view.sign, -magnitude, magnitude)


class Pair(wiring.Component):
    """Two parallel multiply-accumulates, with equal factors by default."""

    def __init__(self, operand, form):
        self.shape = FloatMacParams(operand=operand, sum=form)
        self.first, self.second = FloatMac(self.shape), FloatMac(self.shape)
        words = {name: In(self.shape.operand_format.width) for name in ("a", "b")}
        super().__init__(words | {name: In(self.shape.sum_format.width) for name in ("c", "d")})

    def elaborate(self, platform):
        m = Module()
        m.submodules.first, m.submodules.second = self.first, self.second
        a, b, c, d = self.a, self.b, self.c, self.d
        for unit, words in ((self.first, (a, b, c)), (self.second, self.others(a, b, c, d))):
            lead = unit.latency - unit.sum_latency
            for port, word, cycles in zip((unit.a, unit.b, unit.c), words, (0, 0, lead), strict=True):
                m.d.comb += port.as_value().eq(delayed(m, word, cycles))
        started = delayed(m, Const(1), self.first.latency)
        m.d.comb += Assert(~started | self.holds(m))
        return m

    def others(self, a, b, c, d):
        """Inputs of the second unit."""
        raise NotImplementedError

    def holds(self, m):
        """The claim to prove."""
        raise NotImplementedError

    def late(self, m, word):
        """A word, delayed by the latency of the unit."""
        return delayed(m, word, self.first.latency)


class Commutes(Pair):
    """Factors commute."""

    def others(self, a, b, c, d):
        return b, a, c

    def holds(self, m):
        return self.first.o == self.second.o


class KeepsOrder(Pair):
    """A larger addend never gives a smaller sum."""

    def others(self, a, b, c, d):
        return a, b, d

    def holds(self, m):
        layout, width = self.shape.sum_format.layout, self.shape.sum_format.width
        small, large, first, second = (Signal(signed(width)) for _ in range(4))
        m.d.comb += [
            small.eq(ordered(layout(self.late(m, self.c)))),
            large.eq(ordered(layout(self.late(m, self.d)))),
            first.eq(ordered(self.first.o)),
            second.eq(ordered(self.second.o)),
        ]
        return (small > large) | (first <= second)


class ZeroAddsNothing(Pair):
    """A zero product does not change the addend, and every zero result is +0."""

    def others(self, a, b, c, d):
        return a, b, c

    def holds(self, m):
        operand, form = self.shape.operand_format, self.shape.sum_format
        a, c = operand.layout(self.late(m, self.a)), form.layout(self.late(m, self.c))
        kept = self.first.o.as_value() == Mux(c.exponent.any(), c.as_value(), 0)
        plus_zero = self.first.o.exponent.any() | (self.first.o.as_value() == 0)
        return plus_zero & (a.exponent.any() | kept)


@pytest.mark.parametrize(
    ("operand", "form"),
    [
        ("fp4_e2m1", "fp6_e3m2"),
        pytest.param("fp6_e3m2", "fp6_e3m2", marks=pytest.mark.slow),
        pytest.param("fp4_e2m1", "hfp8", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("claim", [Commutes, pytest.param(KeepsOrder, marks=pytest.mark.slow), ZeroAddsNothing])
def test_sums(prove, claim, operand, form):
    pair = claim(operand, form)
    prove(pair, depth=pair.first.latency + 2)
