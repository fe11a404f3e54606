"""cocotb tests of floating-point multiply-accumulates: every sum, and sums that take turns in the unit's registers."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from lowtide.units.floating.format import FORMATS
from lowtide_sim.bench.axi_stream import PERIOD
from lowtide_sim.bench.environment import parameters, sidecar
from lowtide_sim.golden.floating import float_mac


class FloatBench:
    """Gives a unit a word a cycle and holds what comes to the golden model."""

    def __init__(self, dut):
        self.dut, about = dut, sidecar()
        self.operand, self.form = (FORMATS[about["parameters"][key]] for key in ("operand", "sum"))
        self.latency, self.lead = about["latency"], about["latency"] - about["sum_latency"]
        self.turns = about["sum_latency"] + 1  # a port is set in the cycle after another has been seen
        self.rng = random.Random(random.getrandbits(64))
        Clock(dut.clk, PERIOD, "ns").start()

    def factors(self, count):
        """Words, most of which are near one."""
        one = self.operand.bias << self.operand.fraction
        near = (self.rng.getrandbits(self.operand.fraction + 2) for _ in range(count))
        return [self.rng.choice((one ^ bits, self.rng.getrandbits(self.operand.width))) for bits in near]

    async def sums(self, a, b, c=None):
        """What comes; without ``c`` each product is added to the sum that just comes, the first ones to zeros."""
        edge, came = RisingEdge(self.dut.clk), []
        for cycle in range(len(a) + self.latency):
            await edge  # what was there before it is sampled, and what comes after it is set
            if cycle > self.latency:
                came.append(int(self.dut.o.value))
            self.dut.a.value, self.dut.b.value = (a[cycle], b[cycle]) if cycle < len(a) else (0, 0)
            due = cycle - self.lead
            if 0 <= due < len(a):
                if c is not None:
                    self.dut.c.value = c[due]
                else:
                    self.dut.c.value = came[due - self.turns] if due >= self.turns else 0
        await edge
        return [*came, int(self.dut.o.value)]

    def wanted(self, a, b, c):
        """The golden model's."""
        return float_mac(a, b, c, self.operand, self.form).tolist()


@cocotb.test()
async def random_sums(dut):
    """Sums of words of all kinds."""
    bench = FloatBench(dut)
    count = parameters().get("sums", 2000)
    a, b = bench.factors(count), bench.factors(count)
    products = bench.wanted(a, b, [0] * count)
    places = bench.form.fraction + 2
    c = [bench.rng.choice((p ^ bench.rng.getrandbits(places), p ^ 1 << bench.form.width - 1)) for p in products]
    assert await bench.sums(a, b, c) == bench.wanted(a, b, c)


@cocotb.test()
async def sums_that_take_turns(dut):
    """Sums go back to ``c`` as they come."""
    bench = FloatBench(dut)
    a, b = bench.factors(20 * bench.turns), bench.factors(20 * bench.turns)
    sums = [0] * bench.turns
    for first in range(0, len(a), bench.turns):
        here = slice(first, first + bench.turns)
        sums += bench.wanted(a[here], b[here], sums[-bench.turns :])
    assert await bench.sums(a, b) == sums[bench.turns :]
