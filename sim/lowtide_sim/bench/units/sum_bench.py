"""Base of the benches of floating-point multiply-accumulates."""

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
    """Drives a unit with one word per cycle, and collects its sums.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.

    Attributes
    ----------
    parameters : dict
        Parameters of the unit.
    form : FloatFormat
        Format of the sum.
    turns : int
        Number of interleaved reductions when sums return to ``c``.
    """

    def __init__(self, dut: Any):
        self.dut, known = dut, sidecar()
        self.parameters = known["parameters"]
        self.form = FORMATS[self.parameters["sum"]]
        self.latency, self.lead = known["latency"], known["latency"] - known["sum_latency"]
        self.turns = known["sum_latency"] + 1  # the bench sets a port one cycle after it samples another
        self.rng = random.Random(random.getrandbits(64))
        Clock(dut.clk, PERIOD, "ns").start()

    async def sums(self, a: Sequence[int], b: Sequence[int], c: Sequence[int] | None = None) -> list[int]:
        """Sums in order of arrival; without ``c``, each product is added to the sum that arrives, at first to zero."""
        edge, received = RisingEdge(self.dut.clk), []
        for cycle in range(len(a) + self.latency):
            await edge  # reads return values before the edge, and writes take effect after it
            if cycle > self.latency:
                received.append(int(self.dut.o.value))
            self.dut.a.value, self.dut.b.value = (a[cycle], b[cycle]) if cycle < len(a) else (0, 0)
            due = cycle - self.lead
            if 0 <= due < len(a):
                if c is not None:
                    self.dut.c.value = c[due]
                else:
                    self.dut.c.value = received[due - self.turns] if due >= self.turns else 0
        await edge
        return [*received, int(self.dut.o.value)]

    def factors(self, count: int) -> Any:
        """Random operands of one side."""
        raise NotImplementedError

    def expected(self, a: Any, b: Any, c: Sequence[int]) -> list[int]:
        """Sums of the golden model."""
        raise NotImplementedError

    def packed(self, factors: Any) -> list[int]:
        """Pack operands as words of the unit."""
        return factors

    async def check_random_sums(self, count: int) -> None:
        """Check sums of random operands."""
        a, b = self.factors(count), self.factors(count)
        c = self.near(self.expected(a, b, [0] * count))
        assert await self.sums(self.packed(a), self.packed(b), c) == self.expected(a, b, c)

    async def check_interleaved_sums(self) -> None:
        """Check as many interleaved reductions as the unit has registers, whose sums return to ``c`` on arrival."""
        a, b = self.factors(20 * self.turns), self.factors(20 * self.turns)
        sums = [0] * self.turns
        for first in range(0, len(a), self.turns):
            here = slice(first, first + self.turns)
            sums += self.expected(a[here], b[here], sums[-self.turns :])
        assert await self.sums(self.packed(a), self.packed(b)) == sums[self.turns :]

    def near(self, products: Sequence[int]) -> list[int]:
        """Addends near the products, or near their negatives."""
        places = self.form.fraction + 2
        return [self.rng.choice((p ^ self.rng.getrandbits(places), p ^ 1 << self.form.width - 1)) for p in products]
