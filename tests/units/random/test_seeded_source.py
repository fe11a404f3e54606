"""Seeded random source: after a load, its words equal the words of a source with that seed."""

import random

import attrs
import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide_model import words

SHAPES = [
    RandomSourceParams(bits=5, width=3, polarity="space", lanes=16, rows=True),
    RandomSourceParams(bits=4, width=4, polarity="plain", lanes=3, rows=True),
    RandomSourceParams(bits=6, width=2, polarity="uniform", lanes=4, rows=True),
    RandomSourceParams(bits=7, width=3, polarity="time", lanes=5),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_words_equal_a_source_with_that_seed(shape):
    source, rng = RandomSource(shape, seeded=True), random.Random(1)
    lanes = np.arange(shape.lanes)

    async def run(ctx):
        for _ in range(12):
            seed = rng.randrange(1, 2**shape.bits)
            ctx.set(source.seed, seed)
            ctx.set(source.load, 1)
            await ctx.tick()
            ctx.set(source.load, 0)
            ctx.set(source.seed, rng.randrange(2**shape.bits))
            row = index = 0
            for _ in range(rng.randint(1, 60)):
                expected = words(attrs.evolve(shape, seed=seed), index, lanes, row)
                packed = sum(int(word) << n * shape.width for n, word in enumerate(expected))
                assert ctx.get(source.words) == packed
                step, ends = rng.random() < 0.8, shape.rows and rng.random() < 0.3
                ctx.set(source.step, step)
                if shape.rows:
                    ctx.set(source.row, ends)
                await ctx.tick()
                if step:
                    row, index = (row + 1, 0) if ends else (row, index + 1)
            ctx.set(source.step, rng.getrandbits(1))

    sim = Simulator(source)
    sim.add_clock(1e-6)
    sim.add_testbench(run)
    sim.run()
