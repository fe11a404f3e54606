"""Scaled normalizer and rounding to odd, compared with exact fractions."""

import random

import numpy as np
import plain_fp32 as plain
import pytest
from amaranth.sim import Simulator

from fixtures.plain_requantization import fp32_of, scaled_sum
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.conversion.scaled_normalizer import ScaledNormalizer


def bits_of(number):
    """The word of a number."""
    return int(np.float32(number).view(np.uint32))


def odd_of(acc, scale):
    """``acc * 2**scale`` truncated to 24 bits, the lowest of which is set if it is inexact: as `plain.to_bits`."""
    dropped = max(abs(acc).bit_length() - 24, 0)
    kept = abs(acc) >> dropped
    kept |= kept << dropped != abs(acc)
    return plain.to_bits((-kept if acc < 0 else kept) << dropped, scale)


def run(dut, cases, drive, pauses=None, odd=0):
    """Word, overflow and underflow of each case. ``drive`` sets a case, and returns what follows it."""
    rng, received, waiting = random.Random(pauses), [], list(cases)

    async def bench(ctx):
        ctx.set(dut.odd, odd)
        follows, offers = None, False
        for _ in range(20 * len(cases) + 300):
            ready = pauses is None or rng.random() < 0.6
            offers = bool(waiting) and (offers or pauses is None or rng.random() < 0.6)
            ctx.set(dut.o.ready, ready)
            ctx.set(dut.i.valid, offers)
            after = drive(ctx, waiting[0]) if offers else None
            if follows:
                follows(ctx)
            if ready and ctx.get(dut.o.valid):
                received.append((ctx.get(dut.o.payload.data.as_value()), ctx.get(dut.overflow), ctx.get(dut.underflow)))
            if ctx.get(dut.i.ready):
                follows = after
                waiting[:1] = [] if offers else waiting[:1]
                offers = False
            await ctx.tick()
            if len(received) == len(cases):
                return

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return received


def normalized(width, cases, odd, pauses=None):
    dut = Normalizer(NormalizerParams(width=width), rounds_to_odd=True)

    def drive(ctx, case):
        ctx.set(dut.i.payload.data, case[0])
        ctx.set(dut.scale, case[1])

    return run(dut, cases, drive, pauses, odd)


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("width", [2, 5, 8])
def test_every_accumulator(width, odd):
    cases = [(acc, scale) for acc in range(-(1 << width - 1), 1 << width - 1) for scale in (-512, -128, -126, 0, 127)]
    assert normalized(width, cases, odd) == [(odd_of if odd else plain.to_bits)(*case) for case in cases]


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("width", [25, 35, 57])
def test_ties_powers_and_edges(width, odd):
    cases = plain.accumulators(width, seed=width, count=10)[:600]
    # Every pattern of the bits around the lowest bit that stays.
    cases += [(sign * ((1 << width - 2) + low), 0) for low in range(64) for sign in (1, -1)]
    assert normalized(width, cases, odd, pauses=width) == [(odd_of if odd else plain.to_bits)(*case) for case in cases]


def products(width, seed, count):
    """Accumulators, offsets, factors and scales: few and many significant bits, and the ends of each range."""
    rng, most, offsets = random.Random(seed), 1 << width - 1, 1 << min(width, 32) - 1
    for _ in range(count):
        acc = rng.choice([-most, most - 1, 0, 1, rng.randrange(-most, most), rng.randrange(-most, most)])
        offset = rng.choice([-offsets, offsets - 1, 0, 0, rng.randrange(-offsets, offsets)])
        fraction = rng.choice([0, 1 << 22, (1 << 23) - 1, rng.getrandbits(23), rng.getrandbits(3) << 20])
        exponent = rng.choice([0, 1, 127, 254, rng.randrange(100, 140), rng.randrange(255)])
        yield acc, offset, exponent << 23 | fraction, rng.choice([0, -320, 256, rng.randint(-60, 20)])


@pytest.mark.parametrize("pauses", [None, 1])
@pytest.mark.parametrize("width", [2, 9, 28, 43])
def test_products_are_rounded_once(width, pauses):
    dut = ScaledNormalizer(NormalizerParams(width=width))
    cases = list(products(width, width, 250))

    def drive(ctx, case):
        acc, offset, factor, scale = case
        ctx.set(dut.i.payload.data, acc)
        ctx.set(dut.scale, scale)

        def follow(ctx):
            ctx.set(dut.factor.as_value(), factor)
            ctx.set(dut.offset, offset)

        return follow

    found = run(dut, cases, drive, pauses)
    for (acc, offset, factor, scale), (word, overflow, underflow) in zip(cases, found, strict=True):
        value, *flags = fp32_of(scaled_sum(acc, offset, np.uint32(factor).view(np.float32), scale))
        assert (word, overflow, underflow) == (bits_of(value), *flags)
