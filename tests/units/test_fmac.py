"""The FMAC processing element against integers."""

import random
from itertools import product

import pytest
from amaranth.sim import Simulator

from lowtide.formats import Bfp
from lowtide.units.fmac import Fmac

SHAPES = [
    Bfp(lanes=4, chunk_a=a, chunk_b=b, mantissa=12, exponent=2, max_k=64) for a, b in product(range(1, 5), repeat=2)
]
OTHERS = [
    Bfp(),
    Bfp(lanes=64, max_k=64),
    Bfp(lanes=64, chunk_a=4, chunk_b=4),
    Bfp(chunk_a=4, max_k=1),
    Bfp(lanes=4, chunk_a=1, chunk_b=1, mantissa=1, exponent=1, max_k=1),
    Bfp(lanes=32, chunk_a=3, chunk_b=4, mantissa=12, exponent=5, max_k=2**20),
]


def beat(chunk_a, chunk_b, restart=False, drain=0):
    """One cycle's inputs; a chunk is (signed values, exponent code)."""
    return {"a": chunk_a, "b": chunk_b, "restart": restart, "drain": drain}


def bubble(bfp, rng, restart=False, drain=0):
    """No product, whatever the signs and the codes."""
    a = [(rng.getrandbits(1), 0) for _ in range(bfp.lanes)], rng.randint(0, bfp.max_code_a)
    b = [(rng.getrandbits(1), 0) for _ in range(bfp.lanes)], rng.randint(0, bfp.max_code_b)
    return beat(a, b, restart, drain)


def random_beat(bfp, rng):
    def chunk(layout):
        lanes = [(rng.getrandbits(1), rng.randrange(2**layout.chunk)) for _ in range(bfp.lanes)]
        return lanes, rng.choice([0, layout.max_code, rng.randint(0, layout.max_code)])

    return beat(chunk(bfp.layout_a), chunk(bfp.layout_b))


def extreme_beat(bfp, sign):
    """The largest sum a beat can have."""
    a = [(sign, 2**bfp.chunk_a - 1)] * bfp.lanes, bfp.max_code_a
    b = [(0, 2**bfp.chunk_b - 1)] * bfp.lanes, bfp.max_code_b
    return beat(a, b)


def packed(layout, chunk):
    """A chunk as the layout's bits."""
    lanes, exponent = chunk
    return (
        layout.const({"lane": [{"sign": s, "magnitude": m} for s, m in lanes], "exponent": exponent}).as_value().value
    )


def value(beat):
    (a, exponent_a), (b, exponent_b) = beat["a"], beat["b"]
    return sum((-1) ** (sa ^ sb) * ma * mb for (sa, ma), (sb, mb) in zip(a, b, strict=True)) << exponent_a + exponent_b


def expected_drain(bfp, beats, latency):
    """Words on the drain, a cycle each, as the definition has them."""
    half = (bfp.accumulator + 1) // 2
    words = [0] * (len(beats) + latency + 2)
    total = 0
    for cycle, beat in enumerate(beats):
        words[cycle + 1] |= beat["drain"]
        if beat["restart"]:
            words[cycle + latency] |= total & (2**half - 1)
            words[cycle + latency + 1] |= total >> half & (2**half - 1)
            total = 0
        else:
            total += value(beat)
            total = (total + 2 ** (bfp.accumulator - 1)) % 2**bfp.accumulator - 2 ** (bfp.accumulator - 1)
    return words


def check(bfp, beats):
    """Run beats through the element; every output must be right in every cycle."""
    dut = Fmac(bfp)
    drain = expected_drain(bfp, beats, dut.latency)
    idle = beat(([(0, 0)] * bfp.lanes, 0), ([(0, 0)] * bfp.lanes, 0))
    beats = beats + [idle] * (dut.latency + 1)

    async def bench(ctx):
        before = (0, 0, 0)
        for cycle, now in enumerate(beats):
            inputs = packed(bfp.layout_a, now["a"]), packed(bfp.layout_b, now["b"]), int(now["restart"])
            ctx.set(dut.a_i.as_value(), inputs[0])
            ctx.set(dut.b_i.as_value(), inputs[1])
            ctx.set(dut.restart_i, inputs[2])
            ctx.set(dut.drain_i, now["drain"])
            assert ctx.get(dut.drain_o) == drain[cycle], f"cycle {cycle}"
            assert (ctx.get(dut.a_o.as_value()), ctx.get(dut.b_o.as_value()), ctx.get(dut.restart_o)) == before
            await ctx.tick()
            before = inputs

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def tiles(bfp, rng, lengths):
    """Random tiles of these lengths, bubbles strewn among them, each followed by its restart."""
    beats = []
    for length in lengths:
        for _ in range(length):
            beats.append(random_beat(bfp, rng))
            if rng.random() < 0.2:
                beats.append(bubble(bfp, rng))
        beats.append(bubble(bfp, rng, restart=True))
    return beats


@pytest.mark.parametrize("bfp", SHAPES + OTHERS, ids=str)
def test_sums_are_exact(bfp):
    rng = random.Random(1)
    beats = [bubble(bfp, rng, restart=True), *tiles(bfp, rng, [12, 1, 2, 1, 5, 0, 3])]
    check(bfp, beats)


@pytest.mark.parametrize("bfp", OTHERS, ids=str)
@pytest.mark.parametrize("sign", [0, 1])
def test_largest_reduction_fits(bfp, sign):
    # The largest exponents with every chunk at its largest would exceed the format's bound: chunks below the
    # first of an operand have smaller codes. So the bound's own worst case is streamed, chunk by chunk.
    def chunks(width, top):
        return [(2**width - 1, code) for code in range(top, top - bfp.mantissa, -width)]

    group = []
    for (magnitude_a, code_a), (magnitude_b, code_b) in product(
        chunks(bfp.chunk_a, bfp.max_code_a), chunks(bfp.chunk_b, bfp.max_code_b)
    ):
        group.append(beat(([(sign, magnitude_a)] * bfp.lanes, code_a), ([(0, magnitude_b)] * bfp.lanes, code_b)))
    groups = min(4, max(1, bfp.max_k // bfp.lanes))
    check(bfp, group * groups + [bubble(bfp, random.Random(3), restart=True)])


@pytest.mark.parametrize("sign", [0, 1])
def test_extremes_of_one_beat(sign):
    bfp = Bfp()
    rng = random.Random(4)
    check(bfp, [extreme_beat(bfp, sign)] * 3 + [bubble(bfp, rng, restart=True)])


@pytest.mark.parametrize("spacing", [2, 3, 4, 5, 6, 7, 8])
def test_restarts_at_any_spacing(spacing):
    bfp = Bfp()
    check(bfp, tiles(bfp, random.Random(spacing), [spacing - 1] * 6))


def test_words_from_below_pass_where_this_element_is_silent():
    bfp = Bfp()
    rng = random.Random(5)
    latency = Fmac(bfp).latency
    beats = tiles(bfp, rng, [7, 3, 5, 4, 2]) + [bubble(bfp, rng) for _ in range(latency)]
    own = {cycle + latency + late - 1 for cycle, now in enumerate(beats) if now["restart"] for late in (0, 1)}
    for cycle, now in enumerate(beats):
        now["drain"] = 0 if cycle in own else rng.getrandbits(18)
    check(bfp, beats)
