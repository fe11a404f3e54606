"""cocotb tests of block multiply-accumulates: random sums, and interleaved reductions."""

import attrs
import cocotb

from lowtide_model.floating import block_float_mac
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.operands import block_word, random_block
from lowtide_sim.bench.units.sum_bench import SumBench


@attrs.frozen
class Blocks:
    """Groups of one operand, and their exponent fields."""

    elements: list[list[int]]
    exponents: list[int]

    def __len__(self):
        return len(self.exponents)

    def __getitem__(self, here):
        return Blocks(self.elements[here], self.exponents[here])


class BlockBench(SumBench):
    """Compares sums with the golden model."""

    def __init__(self, dut):
        super().__init__(dut)
        self.lanes, self.magnitude = self.parameters["lanes"], self.parameters["magnitude"]

    def factors(self, count):
        """Random groups, most of them with numbers near one."""
        near = (127 + self.rng.randint(-9, 9) for _ in range(count))
        return Blocks(
            [random_block(self.rng, self.lanes, self.magnitude) for _ in range(count)],
            [exponent if self.rng.random() < 0.8 else self.rng.getrandbits(8) for exponent in near],
        )

    def expected(self, a, b, c):
        """Sums of the golden model."""
        exponents = list(map(sum, zip(a.exponents, b.exponents, strict=True)))
        return block_float_mac(a.elements, b.elements, exponents, c, self.magnitude, self.form).tolist()

    def packed(self, factors):
        """Pack groups as words of the unit."""
        groups = zip(factors.elements, factors.exponents, strict=True)
        return [block_word(elements, exponent, self.magnitude) for elements, exponent in groups]


@cocotb.test()
async def random_sums(dut):
    """Sums of random operands equal the golden model's."""
    await BlockBench(dut).check_random_sums(parameters().get("sums", 2000))


@cocotb.test()
async def sums_that_take_turns(dut):
    """Each sum returns to ``c`` as it arrives, for as many interleaved reductions as the unit has registers."""
    await BlockBench(dut).check_interleaved_sums()
