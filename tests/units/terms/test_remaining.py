"""Comparison of values of any width with small constants."""

import warnings

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.sim import Simulator

from lowtide.units.logic import at_most
from lowtide.units.terms.first_k_ones import more_than

CONSTANTS = range(20)


@pytest.mark.parametrize("width", range(1, 6))
def test_values_are_compared_with_constants(width):
    """Constants beyond a value's range are legal and cause no warning of Amaranth."""
    value, more, most = Signal(width), Signal(len(CONSTANTS)), Signal(len(CONSTANTS))
    m = Module()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        m.d.comb += more.eq(Cat(more_than(value, n) for n in CONSTANTS))
        m.d.comb += most.eq(Cat(at_most(value, n) for n in CONSTANTS))

    async def bench(ctx):
        for number in range(1 << width):
            ctx.set(value, number)
            expected = sum((number > n) << place for place, n in enumerate(CONSTANTS))
            assert ctx.get(more) == expected
            assert ctx.get(most) == expected ^ (1 << len(CONSTANTS)) - 1

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
