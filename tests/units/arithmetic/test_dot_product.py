"""Dot product compared with integer arithmetic."""

import random
from itertools import product
from math import lcm

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from fixtures.slow_cases import one_in
from lowtide.formats import Bfp
from lowtide.units.arithmetic.dot_product import DotProduct
from lowtide.units.arithmetic.dsp_dot_product import DspDotProduct


def chunk(layout, lanes):
    return layout.const({"lane": [{"sign": s, "magnitude": m} for s, m in lanes], "exponent": 0}).as_value().value


def check(bfp, pairs):
    """Stream pairs of chunks, each a list of (sign, magnitude), and check every dot product in order."""
    dut = DotProduct(bfp) if bfp.multiplier == "logic" else DspDotProduct(bfp)
    sums = [sum((-1) ** (sa ^ sb) * ma * mb for (sa, ma), (sb, mb) in zip(a, b, strict=True)) for a, b in pairs]
    seen = []

    async def bench(ctx):
        for a, b in pairs + [pairs[0]] * dut.latency:
            ctx.set(dut.a.as_value(), chunk(bfp.layout_a, a))
            ctx.set(dut.b.as_value(), chunk(bfp.layout_b, b))
            await ctx.delay(1e-9)
            seen.append(ctx.get(dut.o))
            await ctx.tick()

    m = Module()
    m.domains.sync = ClockDomain()  # a dot product without registers has no clock
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[dut.latency :] == sums


@pytest.mark.parametrize(
    ("multiplier", "adder_levels"),
    [
        *(("logic", 1), ("logic", 14), ("inferred", 1), ("ecp5", 2)),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in [("logic", 2), ("inferred", 14), ("ecp5", 1)]),
    ],
)
@pytest.mark.parametrize(("chunk_a", "chunk_b"), one_in(3, product(range(1, 5), repeat=2)))
def test_every_product_in_every_lane(chunk_a, chunk_b, multiplier, adder_levels):
    bfp = Bfp(lanes=4, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12, multiplier=multiplier, adder_levels=adder_levels)
    values_a = list(product((0, 1), range(2**chunk_a)))
    values_b = list(product((0, 1), range(2**chunk_b)))
    products = list(product(values_a, values_b))
    # Each lane runs through all products from its own offset, so that lanes combine many values.
    turns = [products[(7 * lane) % len(products) :] + products[: (7 * lane) % len(products)] for lane in range(4)]
    check(bfp, [tuple(zip(*lanes, strict=True)) for lanes in zip(*turns, strict=True)])


SUMS = [
    *product([("logic", "all")], [1, 2, 3, 5, 14], [(1, 1), (2, 2), (3, 2), (4, 4), (8, 8)], [8, 16, 32, 64]),
    *product(
        list(product(["inferred", "ecp5"], ["all", "half"])),
        [1, 2, 14],
        [(2, 2), (8, 8), (8, 1), (2, 8), (6, 6)],
        [8, 16, 64],
    ),
]


@pytest.mark.parametrize(("multiplier", "adder_levels", "chunks", "lanes"), one_in(7, SUMS))
def test_random_and_extreme_sums(multiplier, adder_levels, chunks, lanes):
    bfp = Bfp(
        lanes=lanes,
        chunk_a=chunks[0],
        chunk_b=chunks[1],
        mantissa=lcm(*chunks),
        multiplier=multiplier[0],
        dsp_lanes=multiplier[1],
        adder_levels=adder_levels,
    )
    rng = random.Random(lanes)

    def random_pair():
        return tuple([(rng.getrandbits(1), rng.randrange(2**width)) for _ in range(lanes)] for width in chunks)

    largest = [
        tuple([(s, 2**width - 1)] * lanes for s, width in ((sign, chunks[0]), (0, chunks[1]))) for sign in (0, 1)
    ]
    zeros = [([(sa, 0)] * lanes, [(sb, 0)] * lanes) for sa, sb in product((0, 1), repeat=2)]
    check(bfp, largest + zeros + [random_pair() for _ in range(20)])


@pytest.mark.parametrize(
    ("lanes", "chunk_a", "chunk_b", "latencies"),
    [(16, 2, 2, [4, 2, 1, 1, 0, 0]), (4, 1, 4, [1, 0, 0, 0, 0, 0]), (64, 4, 4, [8, 4, 2, 2, 1, 1])],
)
def test_a_register_follows_every_few_levels_but_the_last(lanes, chunk_a, chunk_b, latencies):
    formats = [Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, adder_levels=levels) for levels in range(1, 7)]
    assert [DotProduct(bfp).latency for bfp in formats] == latencies


@pytest.mark.slow
@pytest.mark.parametrize("multiplier", ["inferred", "ecp5"])
def test_every_product_of_8_bit_magnitudes(multiplier):
    """Each lane multiplies a quarter of all pairs of magnitudes, with changing signs."""
    bfp = Bfp(lanes=4, chunk_a=8, chunk_b=8, mantissa=8, multiplier=multiplier)
    pairs = []
    for n in range(2**14):
        signs = n % 15  # coprime to the number of magnitudes
        lanes = [divmod(4 * n + lane, 256) for lane in range(4)]
        a = [(signs >> lane & 1, x) for lane, (x, _) in enumerate(lanes)]
        b = [(n >> 7 & 1, y) for _, y in lanes]
        pairs.append((a, b))
    check(bfp, pairs)
