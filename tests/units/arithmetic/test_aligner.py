"""Aligners compared with a shift."""

import random
from itertools import product

import pytest
from amaranth.sim import Simulator

from lowtide.formats.bfp import aligner_step
from lowtide.units.arithmetic.aligner import Aligner
from lowtide.units.arithmetic.ecp5_aligner import Ecp5Aligner


def check(dut, cases):
    """Stream values and shifts, and check every result in order."""
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
    modulus = 2 ** len(dut.o)
    assert [s % modulus for s in seen[dut.latency :]] == [(v << s) % modulus for v, s in cases]


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
    check(dut, cases)


@pytest.mark.parametrize("input_register", [False, True])
@pytest.mark.parametrize(
    ("in_width", "max_shift", "out_width"),
    [(9, 18, 35), (3, 0, 5), (4, 17, 20), (5, 4, 40), (6, 19, 20), (4, 20, 36), (3, 23, 60)],
)
def test_every_value_is_shifted_in_a_block(in_width, max_shift, out_width, input_register):
    dut = Ecp5Aligner(in_width, max_shift, out_width, input_register=input_register)
    assert dut.latency == 2 + (input_register and max_shift > 17)
    cases = list(product(range(-(2 ** (in_width - 1)), 2 ** (in_width - 1)), range(max_shift + 1)))
    random.Random(in_width).shuffle(cases)
    check(dut, cases)


@pytest.mark.parametrize(("in_width", "max_shift", "out_width"), [(18, 17, 35), (15, 19, 34), (11, 23, 35)])
def test_the_widest_values_are_shifted_in_a_block(in_width, max_shift, out_width):
    rng = random.Random(in_width)
    low, high = -(2 ** (in_width - 1)), 2 ** (in_width - 1) - 1
    values = [low, high, -1, 0, 1, *(rng.randint(low, high) for _ in range(100))]
    check(Ecp5Aligner(in_width, max_shift, out_width), list(product(values, range(max_shift + 1))))


def test_the_places_of_a_factor_leave_less_than_a_step():
    for max_shift in range(32):
        step = aligner_step(max_shift)
        places = range(0, max_shift + 1, step)
        assert places[-1] <= 17
        assert max_shift - places[-1] < step
    assert [aligner_step(shift) for shift in (17, 18, 19, 20, 23, 24)] == [1, 4, 4, 8, 8, 16]
