"""The normaliser and its form for rows against the golden model, with stalls on both sides."""

import random
import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.conversion.normaliser import Normaliser, NormaliserShape
from lowtide.units.conversion.row_normaliser import RowNormaliser, RowNormaliserShape
from lowtide.units.conversion.tally import Tally
from lowtide_sim.golden import BfpTensor, to_fp32

SCALES = (-512, -300, -150, -149, -127, -126, -30, 0, 60, 92, 93, 104, 127, 128, 300, 511)


def scale_of(bias):
    """An operand whose share of the scale is its bias."""
    return BfpTensor(
        signed=np.zeros(1, np.int16),
        codes=np.zeros(1, np.uint8),
        bias=bias,
        mantissa=1,
        exponent=1,
        group=1,
        length=1,
        axis=0,
    )


def model(acc, scale):
    """Bits of the number, and whether it overflows and underflows."""
    made = to_fp32(np.array([acc], object), scale_of(scale), scale_of(0))
    return int(made.values.view(np.uint32)[0]), made.overflows, made.underflows


def run(dut, *benches):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


def normalised(dut, cases, pause, seed):
    """What comes for (accumulator, scale, last), in order, with pauses on both sides."""
    rng, results = random.Random(seed), []

    async def feed(ctx):
        for acc, scale, last in cases:
            while rng.random() < pause:
                await ctx.tick()
            ctx.set(dut.i.payload, {"data": acc, "last": last})
            ctx.set(dut.scale, scale)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def drain(ctx):
        for _ in range(len(cases) * 60 + 1000):
            if len(results) == len(cases):
                break
            ready = rng.random() >= pause
            ctx.set(dut.o.ready, ready)
            _, _, valid, payload, over, under = await ctx.tick().sample(
                dut.o.valid, dut.o.payload.as_value(), dut.overflow, dut.underflow
            )
            if valid and ready:
                results.append((payload & 0xFFFFFFFF, over, under, payload >> 32))

    run(dut, feed, drain)
    return results


def expected(cases):
    return [(*model(acc, scale), last) for acc, scale, last in cases]


def around(width):
    """Zero, the ends, and what rounds in every way: each power of two, and ties of 24 bits, with their neighbours."""
    found = {0, 2 ** (width - 1) - 1, -(2 ** (width - 1))}
    for place in range(width):
        for value in (1 << place, 0xFFFFFF << place, 0x1FFFFFF << place, 0x1000001 << place, 0x1000003 << place):
            found |= {sign * value + near for sign in (1, -1) for near in (-1, 0, 1)}
    return sorted(acc for acc in found if -(2 ** (width - 1)) <= acc < 2 ** (width - 1))


@pytest.mark.parametrize("width", [2, 3, 5, 8])
def test_every_accumulator_of_few_bits(width):
    accs = range(-(2 ** (width - 1)), 2 ** (width - 1))
    cases = [(acc, scale, acc & 1) for scale in SCALES for acc in accs]
    assert normalised(Normaliser(NormaliserShape(width=width)), cases, 0, 1) == expected(cases)


@pytest.mark.parametrize("width", [24, 25, 26, 27, 33, 35, 51, 64, 83, 128])
def test_ties_powers_and_ends(width):
    rng = random.Random(width)
    accs = around(width)
    cases = [(acc, scale, 0) for scale in (-width // 2, 0) for acc in accs]
    for _ in range(300):
        acc = rng.choice(accs)
        top = max(abs(acc).bit_length() - 1, 0)
        # Just about where the range ends, at either end.
        cases.append((acc, max(-512, min(511, rng.choice((127, 128, -126, -127)) - top)), rng.getrandbits(1)))
    cases += [(rng.randrange(-(2 ** (width - 1)), 2 ** (width - 1)), rng.choice(SCALES), 0) for _ in range(200)]
    assert normalised(Normaliser(NormaliserShape(width=width)), cases, 0, 1) == expected(cases)


@pytest.mark.parametrize("pause", [0.1, 0.5, 0.9])
def test_stalls_lose_nothing(pause):
    rng = random.Random(7)
    cases = [(rng.randrange(-(2**34), 2**34) >> rng.randrange(35), rng.choice(SCALES), n % 3 == 0) for n in range(300)]
    assert normalised(Normaliser(NormaliserShape(width=35)), cases, pause, 5) == expected(cases)


def test_one_a_cycle_after_the_latency():
    dut = Normaliser(NormaliserShape(width=35))
    came = []

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.i.valid, 1)
        for cycle in range(dut.latency + 20):
            _, _, ready, valid = await ctx.tick().sample(dut.i.ready, dut.o.valid)
            assert ready
            came.extend([cycle] * valid)

    run(dut, bench)
    assert came == list(range(dut.latency, dut.latency + 20))


def test_a_number_is_offered_to_a_sink_that_waits_for_it():
    dut = Normaliser(NormaliserShape(width=35))

    async def bench(ctx):
        assert ctx.get(dut.i.ready)
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(dut.latency - 1)
        assert ctx.get(dut.o.valid)

    run(dut, bench)


@pytest.mark.parametrize(
    ("columns", "width", "normalisers"), [(1, 9, 1), (3, 35, 1), (6, 20, 2), (8, 35, 8), (20, 12, 1), (18, 30, 2)]
)
@pytest.mark.parametrize("pause", [0, 0.5])
def test_rows_come_whole_and_in_order(columns, width, normalisers, pause):
    shape = RowNormaliserShape(columns=columns, width=width, normalisers=normalisers, counter=10)
    dut, rng = RowNormaliser(shape), random.Random(columns)
    rows = [
        ([rng.randrange(-(2 ** (width - 1)), 2 ** (width - 1)) for _ in range(columns)], rng.choice(SCALES), n % 4 == 3)
        for n in range(24)
    ]
    results = []
    counts = [0, 0]

    async def feed(ctx):
        for accs, scale, last in rows:
            while rng.random() < pause:
                await ctx.tick()
            word = sum((acc & 2**width - 1) << n * width for n, acc in enumerate(accs))
            ctx.set(dut.i.payload, {"data": word, "last": last})
            ctx.set(dut.scale, scale)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def drain(ctx):
        for _ in range(24 * columns * 30 + 1000):
            if len(results) == 24 * shape.beats:
                break
            ready = rng.random() >= pause
            ctx.set(dut.o.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload.as_value())
            if valid and ready:
                results.append(payload)
        await ctx.tick().repeat(Tally(normalisers, 10).latency + 2)
        counts[:] = ctx.get(dut.overflows), ctx.get(dut.underflows)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert (ctx.get(dut.overflows), ctx.get(dut.underflows)) == (0, 0)

    run(dut, feed, drain)
    due, overflows, underflows = [], 0, 0
    for accs, scale, last in rows:
        made = [model(acc, scale) for acc in accs]
        overflows += sum(over for _, over, _ in made)
        underflows += sum(under for _, _, under in made)
        for beat in range(shape.beats):
            lanes = made[beat * normalisers : (beat + 1) * normalisers]
            word = sum(bits << 32 * n for n, (bits, _, _) in enumerate(lanes))
            ends = beat == shape.beats - 1
            due.append(word | ends << 32 * normalisers | (ends and last) << 32 * normalisers + 1)
    assert results == due
    assert counts == [overflows, underflows]


def test_illegal_values_name_the_legal_ones():
    with pytest.raises(IllegalValue, match=re.escape("width must be from 2 to 128, not 1")):
        NormaliserShape(width=1)
    with pytest.raises(IllegalValue, match=re.escape("a divisor of columns = 6: one of 1, 2, 3, 6, not 4")):
        RowNormaliserShape(columns=6, normalisers=4)
