"""Differentiators compared with Python's integers: the sums of tiles from running sums that wrap."""

import random

import pytest
from amaranth.sim import Simulator

from lowtide.array.differentiator import Differentiators


class Column:
    """Running sums of a column of elements, and the half words that it sends."""

    def __init__(self, rows, width, rng):
        self.width, self.half = width, (width + 1) // 2
        self.running = [rng.getrandbits(width) for _ in range(rows)]

    def halves(self, tile):
        """Add the sums of a tile, and return the half words that follow it."""
        self.running = [(running + row) % 2**self.width for running, row in zip(self.running, tile, strict=True)]
        words = (running - (running >> self.width - 1 << self.width) for running in self.running)  # sign-extended
        return [word >> shift & (1 << self.half) - 1 for word in words for shift in (0, self.half)]


def random_sum(width, rng):
    """Random sum, often one of the ends."""
    low, high = -(1 << width - 1), (1 << width - 1) - 1
    return rng.choice([low, high, 0, -1, rng.randint(low, high)])


def run(dut, inputs):
    """Outputs of each cycle; an input is a start and the half words of all columns."""
    outputs = []

    async def bench(ctx):
        for start, halves in inputs:
            ctx.set(dut.start, start)
            ctx.set(dut.i, halves)
            outputs.append(ctx.get(dut.o))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return outputs


@pytest.mark.parametrize("width", [2, 3, 8, 17])
@pytest.mark.parametrize(
    ("rows", "columns", "block"), [(1, 1, 1), (1, 3, 1), (2, 2, 1), (3, 5, 2), (5, 3, 4), (8, 2, 1), (17, 1, 1)]
)
def test_differences_are_the_sums_of_tiles(rows, columns, block, width):
    rng, half = random.Random(rows), (width + 1) // 2
    tiles = [[[random_sum(width, rng) for _ in range(rows)] for _ in range(columns)] for _ in range(12)]
    starts = [3]
    for _ in tiles[1:]:
        starts.append(starts[-1] + 2 * rows + rng.choice([0, 0, 1, 7]))
    length = starts[-1] + 2 * rows + columns + 4
    halves = [[rng.getrandbits(half) for _ in range(columns)] for _ in range(length)]  # any words between tiles
    due = {}
    senders = [Column(rows, width, rng) for _ in range(columns)]
    for number, (start, tile) in enumerate(zip(starts, tiles, strict=True)):
        for column, (sender, sums) in enumerate(zip(senders, tile, strict=True)):
            first = start + 2 + column // block
            for n, word in enumerate(sender.halves(sums)):
                halves[first + n][column] = word
            if number:  # the first running sums are a start, of which there is no difference
                due |= {(first + 2 * row, column): total for row, total in enumerate(sums)}
    inputs = [
        (cycle in starts, sum(word << column * half for column, word in enumerate(words)))
        for cycle, words in enumerate(halves)
    ]
    outputs = run(Differentiators(rows, columns, half, block), inputs)
    for (cycle, column), total in due.items():
        low, high = (outputs[cycle + n] >> column * half & (1 << half) - 1 for n in (0, 1))
        assert (low | high << half) % 2**width == total % 2**width
