"""Dot product compared with integer arithmetic."""

import random
from itertools import product

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from lowtide.formats import Bfp
from lowtide.units.arithmetic.dot_product import DotProduct


def chunk(layout, lanes):
    return layout.const({"lane": [{"sign": s, "magnitude": m} for s, m in lanes], "exponent": 0}).as_value().value


def check(bfp, pairs):
    """Stream pairs of chunks, each a list of (sign, magnitude), and check every dot product in order."""
    dut = DotProduct(bfp)
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


@pytest.mark.parametrize("adder_levels", [1, 2, 10])
@pytest.mark.parametrize(("chunk_a", "chunk_b"), list(product(range(1, 5), repeat=2)))
def test_every_product_in_every_lane(chunk_a, chunk_b, adder_levels):
    bfp = Bfp(lanes=4, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12, adder_levels=adder_levels)
    values_a = list(product((0, 1), range(2**chunk_a)))
    values_b = list(product((0, 1), range(2**chunk_b)))
    products = list(product(values_a, values_b))
    # Each lane runs through all products from its own offset, so that lanes combine many values.
    turns = [products[(7 * lane) % len(products) :] + products[: (7 * lane) % len(products)] for lane in range(4)]
    check(bfp, [tuple(zip(*lanes, strict=True)) for lanes in zip(*turns, strict=True)])


@pytest.mark.parametrize("adder_levels", [1, 2, 3, 5, 10])
@pytest.mark.parametrize(("chunk_a", "chunk_b"), [(1, 1), (2, 2), (3, 2), (4, 4)])
@pytest.mark.parametrize("lanes", [8, 16, 32, 64])
def test_random_and_extreme_sums(lanes, chunk_a, chunk_b, adder_levels):
    bfp = Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12, adder_levels=adder_levels)
    rng = random.Random(lanes)

    def random_pair():
        return tuple(
            [(rng.getrandbits(1), rng.randrange(2**width)) for _ in range(lanes)] for width in (chunk_a, chunk_b)
        )

    largest = [tuple([(s, 2**width - 1)] * lanes for s, width in ((sign, chunk_a), (0, chunk_b))) for sign in (0, 1)]
    zeros = [([(sa, 0)] * lanes, [(sb, 0)] * lanes) for sa, sb in product((0, 1), repeat=2)]
    check(bfp, largest + zeros + [random_pair() for _ in range(20)])


@pytest.mark.parametrize(
    ("lanes", "chunk_a", "chunk_b", "latencies"),
    [(16, 2, 2, [4, 2, 1, 1, 0, 0]), (4, 1, 4, [1, 0, 0, 0, 0, 0]), (64, 4, 4, [8, 4, 2, 2, 1, 1])],
)
def test_a_register_follows_every_few_levels_but_the_last(lanes, chunk_a, chunk_b, latencies):
    formats = [Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, adder_levels=levels) for levels in range(1, 7)]
    assert [DotProduct(bfp).latency for bfp in formats] == latencies
