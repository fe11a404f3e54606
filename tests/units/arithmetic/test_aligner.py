"""Aligner compared with a shift."""

import random

import pytest
from amaranth.sim import Simulator

from lowtide.units.arithmetic.aligner import Aligner


@pytest.mark.parametrize("input_register", [False, True])
@pytest.mark.parametrize("output_register", [False, True])
@pytest.mark.parametrize(
    ("in_width", "max_shift", "out_width"),
    [(9, 18, 35), (9, 18, 20), (3, 2, 6), (3, 3, 12), (5, 4, 9), (13, 14, 35), (4, 31, 70), (11, 0, 11)],
)
def test_value_is_shifted(in_width, max_shift, out_width, input_register, output_register):
    dut = Aligner(in_width, max_shift, out_width, input_register=input_register, output_register=output_register)
    assert dut.latency == input_register + 1 + output_register
    rng = random.Random(in_width)
    low, high = -(2 ** (in_width - 1)), 2 ** (in_width - 1) - 1
    values = [low, high, -1, 0, 1] + [rng.randint(low, high) for _ in range(15)]
    cases = [(value, shift) for shift in range(max_shift + 1) for value in values]
    rng.shuffle(cases)
    seen = []

    async def bench(ctx):
        for value, shift in cases + cases[: dut.latency]:
            ctx.set(dut.i, value)
            ctx.set(dut.shift, shift)
            seen.append(ctx.get(dut.o))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert [s % 2**out_width for s in seen[dut.latency :]] == [(v << s) % 2**out_width for v, s in cases]
