"""Stochastic rounder compared with the models."""

import random
import re

import pytest
from amaranth.sim import Simulator

from lowtide.emission.folder import verilog_and_modules
from lowtide.formats import IllegalValue
from lowtide.units.rounding.stochastic import StochasticParams, StochasticRounder
from lowtide_model import round_magnitude, rounds_up, words


@pytest.mark.parametrize(
    "shape",
    [
        StochasticParams(),
        StochasticParams(bits=4, lanes=16, mode="carry", fraction=3, rows=True),
        StochasticParams(bits=24, random=24, fraction=24, polarity="plain", lanes=2, rows=True),
        StochasticParams(polarity="uniform", lanes=8, width=1),
    ],
    ids=str,
)
def test_every_lane_is_rounded_by_its_word(shape):
    dut, rng = StochasticRounder(shape), random.Random(1)
    lanes, bits = list(range(shape.lanes)), shape.width + shape.fraction
    keywords = {"mode": shape.mode, "fraction": shape.fraction, "random_bits": shape.random}

    async def bench(ctx):
        row = index = 0
        for _ in range(100):
            values = [rng.choice((rng.getrandbits(bits), 2**bits - 1 - rng.getrandbits(2))) for _ in lanes]
            ctx.set(dut.value, sum(value << lane * bits for lane, value in enumerate(values)))
            drawn = words(shape.source, index, lanes, row)
            up = rounds_up(values, random=drawn, **keywords).tolist()
            o = round_magnitude(values, width=shape.width, random=drawn, **keywords).tolist()
            largest = [value >> shape.fraction == 2**shape.width - 1 for value in values]
            assert ctx.get(dut.up) == sum(bit << lane for lane, bit in enumerate(up))
            assert ctx.get(dut.o) == sum(value << lane * shape.width for lane, value in enumerate(o))
            assert ctx.get(dut.saturated) == sum((up[lane] and largest[lane]) << lane for lane in lanes)
            step, end = rng.random() < 0.7, rng.random() < 0.2
            ctx.set(dut.step, step)
            if shape.rows:
                ctx.set(dut.row, end)
            if step:
                row, index = (row + 1, 0) if shape.rows and end else (row, index + 1)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_one_rounder_is_written_for_all_lanes():
    _, modules = verilog_and_modules(StochasticRounder(StochasticParams()))
    name = "stochastic_rounder_half_step_w4_d8_r3_l14_b3_space_s1"
    assert modules == [
        f"{name}_random_source_b3_r3_l14_space_t3_1_s1",
        f"{name}_rounder_half_step_w4_d8_r3",
        name,
    ]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"mode": "nearest"}, "mode must be one of carry, half_step, not 'nearest'"),
        ({"random": 4}, "random must be from 1 to 3 (no more than bits = 3), not 4"),
        ({"lanes": 15}, "lanes must be from 1 to 14 (for bits = 3, polarity = space), not 15"),
    ],
)
def test_illegal_shapes_name_the_legal_values(keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        StochasticParams(**keywords)
