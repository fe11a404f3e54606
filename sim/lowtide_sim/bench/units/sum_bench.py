"""What benches of floating-point multiply-accumulates have in common: clock, ports, and what comes when."""

import random
from collections.abc import Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from lowtide.units.floating.format import FORMATS
from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.streams.axi_stream import PERIOD

__all__ = ["SumBench"]


class SumBench:
    """Gives a unit a word a cycle, and collects what comes.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.

    Attributes
    ----------
    about : dict
        Its parameters.
    form : FloatFormat
        Format of the sum.
    turns : int
        How many reductions take turns where a sum goes back to ``c``.
    """

    def __init__(self, dut: Any):
        self.dut, known = dut, sidecar()
        self.about = known["parameters"]
        self.form = FORMATS[self.about["sum"]]
        self.latency, self.lead = known["latency"], known["latency"] - known["sum_latency"]
        self.turns = known["sum_latency"] + 1  # a port is set in the cycle after another has been seen
        self.rng = random.Random(random.getrandbits(64))
        Clock(dut.clk, PERIOD, "ns").start()

    async def sums(self, a: Sequence[int], b: Sequence[int], c: Sequence[int] | None = None) -> list[int]:
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

    def near(self, products: Sequence[int]) -> list[int]:
        """Words to add to products: near them, or opposite."""
        places = self.form.fraction + 2
        return [self.rng.choice((p ^ self.rng.getrandbits(places), p ^ 1 << self.form.width - 1)) for p in products]
