"""cocotb tests of multiply-accumulates for groups: every sum, and sums that take turns in the unit's registers."""

import attrs
import cocotb

from lowtide_model.floating import block_float_mac
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.block_words import block_word, random_block
from lowtide_sim.bench.units.sum_bench import SumBench


@attrs.frozen
class Blocks:
    """Groups of one side, and their exponents' fields."""

    elements: list[list[int]]
    exponents: list[int]

    def __len__(self):
        return len(self.exponents)

    def __getitem__(self, here):
        return Blocks(self.elements[here], self.exponents[here])

    def words(self, magnitude):
        """As the unit takes them."""
        pairs = zip(self.elements, self.exponents, strict=True)
        return [block_word(elements, exponent, magnitude) for elements, exponent in pairs]


class BlockBench(SumBench):
    """Holds what comes to the golden model."""

    def __init__(self, dut):
        super().__init__(dut)
        self.lanes, self.magnitude = self.about["lanes"], self.about["magnitude"]

    def blocks(self, count):
        """Groups, most of whose numbers are near one."""
        near = (127 + self.rng.randint(-9, 9) for _ in range(count))
        return Blocks(
            [random_block(self.rng, self.lanes, self.magnitude) for _ in range(count)],
            [exponent if self.rng.random() < 0.8 else self.rng.getrandbits(8) for exponent in near],
        )

    def wanted(self, a, b, c):
        """The golden model's."""
        exponents = list(map(sum, zip(a.exponents, b.exponents, strict=True)))
        return block_float_mac(a.elements, b.elements, exponents, c, self.magnitude, self.form).tolist()

    async def sums_of(self, a, b, c=None):
        """The unit's."""
        return await self.sums(a.words(self.magnitude), b.words(self.magnitude), c)


@cocotb.test()
async def random_sums(dut):
    """Sums of groups of all kinds."""
    bench = BlockBench(dut)
    count = parameters().get("sums", 2000)
    a, b = bench.blocks(count), bench.blocks(count)
    c = bench.near(bench.wanted(a, b, [0] * count))
    assert await bench.sums_of(a, b, c) == bench.wanted(a, b, c)


@cocotb.test()
async def sums_that_take_turns(dut):
    """Sums go back to ``c`` as they come."""
    bench = BlockBench(dut)
    a, b = bench.blocks(20 * bench.turns), bench.blocks(20 * bench.turns)
    sums = [0] * bench.turns
    for first in range(0, len(a), bench.turns):
        here = slice(first, first + bench.turns)
        sums += bench.wanted(a[here], b[here], sums[-bench.turns :])
    assert await bench.sums_of(a, b) == sums[bench.turns :]
