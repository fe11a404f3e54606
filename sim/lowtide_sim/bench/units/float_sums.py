"""cocotb tests of floating-point multiply-accumulates: random sums, and interleaved reductions."""

import cocotb

from lowtide.units.floating.format import FORMATS
from lowtide_model.floating import float_mac
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.units.sum_bench import SumBench


class FloatBench(SumBench):
    """Compares sums with the golden model."""

    def __init__(self, dut):
        super().__init__(dut)
        self.operand = FORMATS[self.parameters["operand"]]

    def factors(self, count):
        """Random words, most of them near one."""
        one = self.operand.bias << self.operand.fraction
        near = (self.rng.getrandbits(self.operand.fraction + 2) for _ in range(count))
        return [self.rng.choice((one ^ bits, self.rng.getrandbits(self.operand.width))) for bits in near]

    def expected(self, a, b, c):
        """Sums of the golden model."""
        return float_mac(a, b, c, self.operand, self.form).tolist()


@cocotb.test()
async def random_sums(dut):
    """Sums of random operands equal the golden model's."""
    await FloatBench(dut).check_random_sums(parameters().get("sums", 2000))


@cocotb.test()
async def sums_that_take_turns(dut):
    """Each sum returns to ``c`` as it arrives, for as many interleaved reductions as the unit has registers."""
    await FloatBench(dut).check_interleaved_sums()
