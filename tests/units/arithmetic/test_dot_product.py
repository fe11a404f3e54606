"""Dot product compared with integer arithmetic."""

import random
from itertools import product
from math import lcm

import pytest
from amaranth.sim import Simulator

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

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[dut.latency :] == sums


@pytest.mark.parametrize(("chunk_a", "chunk_b"), list(product(range(1, 5), repeat=2)))
@pytest.mark.parametrize("multiplier", ["logic", "inferred", "ecp5"])
def test_every_product_in_every_lane(chunk_a, chunk_b, multiplier):
    bfp = Bfp(lanes=4, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12, multiplier=multiplier)
    values_a = list(product((0, 1), range(2**chunk_a)))
    values_b = list(product((0, 1), range(2**chunk_b)))
    products = list(product(values_a, values_b))
    # Each lane runs through all products from its own offset, so that lanes combine many values.
    turns = [products[(7 * lane) % len(products) :] + products[: (7 * lane) % len(products)] for lane in range(4)]
    check(bfp, [tuple(zip(*lanes, strict=True)) for lanes in zip(*turns, strict=True)])


WIDTHS = [(1, 1), (2, 2), (3, 2), (4, 4), (8, 8), (8, 1), (2, 8), (6, 6)]
MULTIPLIERS = [("logic", "all"), *product(("inferred", "ecp5"), ("all", "half"))]


@pytest.mark.parametrize(("multiplier", "dsp_lanes"), MULTIPLIERS)
@pytest.mark.parametrize(("chunk_a", "chunk_b"), WIDTHS)
@pytest.mark.parametrize("lanes", [8, 16, 32, 64])
def test_random_and_extreme_sums(lanes, chunk_a, chunk_b, multiplier, dsp_lanes):
    step = lcm(chunk_a, chunk_b)
    bfp = Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=step, multiplier=multiplier, dsp_lanes=dsp_lanes)
    rng = random.Random(lanes)

    def random_pair():
        return tuple(
            [(rng.getrandbits(1), rng.randrange(2**width)) for _ in range(lanes)] for width in (chunk_a, chunk_b)
        )

    largest = [tuple([(s, 2**width - 1)] * lanes for s, width in ((sign, chunk_a), (0, chunk_b))) for sign in (0, 1)]
    zeros = [([(sa, 0)] * lanes, [(sb, 0)] * lanes) for sa, sb in product((0, 1), repeat=2)]
    check(bfp, largest + zeros + [random_pair() for _ in range(20)])


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
