"""FP32 adder compared with exact fractions and with the golden model, with stalls."""

import random

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from fixtures.plain_fp32_sum import plain_sum, word_pairs
from lowtide.units.floating import fp32_adder
from lowtide.units.floating.adder import FloatAdder
from lowtide.units.floating.fp32_adder import Fp32Adder
from lowtide_model import add_fp32


def sums(dut, pairs, relu, stall, seed=1):
    """Words of the sums of pairs of words, with ``enable`` low in a share of the cycles."""
    rng, received = random.Random(seed), []

    async def bench(ctx):
        ctx.set(dut.relu, relu)
        cycle = 0
        while cycle < len(pairs) + dut.latency:
            enable = rng.random() >= stall
            x, y = pairs[cycle] if cycle < len(pairs) and enable else (rng.getrandbits(32), rng.getrandbits(32))
            ctx.set(dut.enable, enable)
            ctx.set(dut.x.as_value(), x)
            ctx.set(dut.y.as_value(), y)
            if enable and cycle >= dut.latency:
                received.append(ctx.get(dut.o.as_value()))
            cycle += enable
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return received


def check(pairs, relu=False, stall=0.0):
    for (x, y), got in zip(pairs, sums(Fp32Adder(), pairs, relu, stall), strict=True):
        due = plain_sum(x, y, relu)
        assert got == due, f"{x:08x} + {y:08x} must be {due:08x}, not {got:08x}"


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_sums_equal_exact_fractions(relu, stall):
    check(word_pairs(1, 1500), relu, stall)


@pytest.mark.slow
@pytest.mark.parametrize("relu", [False, True])
def test_many_sums(relu):
    check(word_pairs(2, 40000), relu)


@pytest.mark.parametrize("relu", [False, True])
def test_the_golden_model_equals_exact_fractions(relu):
    pairs = word_pairs(3, 6000)
    x, y = np.array(pairs, np.uint32).view(np.float32).T
    got = add_fp32(x, y, relu=relu).view(np.uint32).tolist()
    for (a, b), word in zip(pairs, got, strict=True):
        assert word == plain_sum(a, b, relu), f"{a:08x} + {b:08x}"


class IgnoresEnable(FloatAdder):
    """The adder's registers load in every cycle."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = FloatAdder(self.form, 24, 9, normalized=True)
        for name in ("p_sign", "p_exponent", "p_significand"):
            m.d.comb += getattr(core, name).eq(getattr(self, name))
        m.d.comb += [core.c.eq(self.c), self.o.eq(core.o)]
        return m


def test_an_adder_that_ignores_enable_is_caught(monkeypatch):
    monkeypatch.setattr(fp32_adder, "FloatAdder", IgnoresEnable)
    with pytest.raises(AssertionError, match="must be"):
        check(word_pairs(1, 100), stall=0.4)


@pytest.mark.parametrize("special", [254, 256])
def test_an_adder_with_another_field_of_infinities_is_caught(monkeypatch, special):
    monkeypatch.setattr(fp32_adder, "SPECIAL", special)
    with pytest.raises(AssertionError, match="must be"):
        check(word_pairs(1, 100))


@pytest.mark.parametrize(("x", "message"), [([1.0], "x must be an array of float32, not float64")])
def test_an_addend_of_another_type_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        add_fp32(x, np.array([1], np.float32))
