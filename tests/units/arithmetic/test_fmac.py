"""FMAC compared with integer arithmetic."""

import random
from itertools import product

import attrs
import element_bench
import pytest
from element_bench import Beat

from fixtures.slow_cases import one_in
from lowtide.formats import Bfp
from lowtide.units.arithmetic.fmac import Fmac

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
    Bfp(lanes=4, chunk_a=8, chunk_b=8, mantissa=8),
    *(
        Bfp(lanes=lanes, chunk_a=a, chunk_b=b, mantissa=8, exponent=exponent, multiplier=multiplier)
        for lanes, a, b, exponent in [(4, 8, 8, 3), (16, 8, 8, 1), (8, 8, 4, 2), (4, 2, 2, 3)]
        for multiplier in ("inferred", "ecp5")
    ),
    Bfp(lanes=8, chunk_a=8, chunk_b=8, mantissa=8, multiplier="ecp5", dsp_lanes="half"),
    Bfp(lanes=16, chunk_a=4, chunk_b=2, mantissa=8, multiplier="inferred", dsp_lanes="half"),
    Bfp(aligner="ecp5"),
    Bfp(lanes=4, chunk_a=1, chunk_b=1, mantissa=1, exponent=1, max_k=1, aligner="ecp5"),
    Bfp(lanes=16, chunk_a=4, chunk_b=4, aligner="ecp5"),
    Bfp(lanes=8, chunk_a=3, chunk_b=2, mantissa=6, multiplier="ecp5", dsp_lanes="half", aligner="ecp5"),
]


def beat(chunk_a, chunk_b, restart=False, drain=0):
    """Inputs of one cycle; a chunk is (signed values, exponent code)."""
    return {"a": chunk_a, "b": chunk_b, "restart": restart, "drain": drain}


def bubble(bfp, rng, restart=False, drain=0):
    """Beat without a product, with random signs and codes."""
    a = [(rng.getrandbits(1), 0) for _ in range(bfp.lanes)], rng.randint(0, bfp.max_code_a)
    b = [(rng.getrandbits(1), 0) for _ in range(bfp.lanes)], rng.randint(0, bfp.max_code_b)
    return beat(a, b, restart, drain)


def random_beat(bfp, rng):
    def chunk(layout):
        lanes = [(rng.getrandbits(1), rng.randrange(2**layout.chunk)) for _ in range(bfp.lanes)]
        return lanes, rng.choice([0, layout.max_code, rng.randint(0, layout.max_code)])

    return beat(chunk(bfp.layout_a), chunk(bfp.layout_b))


def extreme_beat(bfp, sign):
    """Largest sum of a beat."""
    a = [(sign, 2**bfp.chunk_a - 1)] * bfp.lanes, bfp.max_code_a
    b = [(0, 2**bfp.chunk_b - 1)] * bfp.lanes, bfp.max_code_b
    return beat(a, b)


def packed(layout, chunk):
    """Chunk packed to the layout's bits."""
    lanes, exponent = chunk
    return (
        layout.const({"lane": [{"sign": s, "magnitude": m} for s, m in lanes], "exponent": exponent}).as_value().value
    )


def value(beat):
    (a, exponent_a), (b, exponent_b) = beat["a"], beat["b"]
    return sum((-1) ** (sa ^ sb) * ma * mb for (sa, ma), (sb, mb) in zip(a, b, strict=True)) << exponent_a + exponent_b


def check(bfp, beats):
    """Run beats through the element, and check every output in every cycle."""
    element_bench.check(
        Fmac(bfp),
        [
            Beat(
                packed(bfp.layout_a, now["a"]),
                packed(bfp.layout_b, now["b"]),
                restart=now["restart"],
                drain=now["drain"],
                addend=value(now),
            )
            for now in beats
        ],
    )


def tiles(bfp, rng, lengths):
    """Random tiles of these lengths with random bubbles; the restart is the last beat, or a bubble after it."""
    beats = []
    for length in lengths:
        for _ in range(length):
            beats.append(random_beat(bfp, rng))
            if rng.random() < 0.2:
                beats.append(bubble(bfp, rng))
        if length > 1 and rng.random() < 0.7:
            beats[-1]["restart"] = True
        else:
            beats += [bubble(bfp, rng)] * (length == 0) + [bubble(bfp, rng, restart=True)]
    return beats


DEPTHS = [1, 2, 3, 14]
"""Levels of adders per register."""


@pytest.mark.parametrize(
    ("bfp", "adder_levels"), one_in(3, [*product(SHAPES, (1, 2)), *product(OTHERS, DEPTHS)]), ids=str
)
def test_sums_are_exact(bfp, adder_levels):
    bfp = attrs.evolve(bfp, adder_levels=adder_levels)
    rng = random.Random(1)
    beats = [bubble(bfp, rng, restart=True), *tiles(bfp, rng, [12, 1, 2, 1, 5, 0, 3])]
    check(bfp, beats)


@pytest.mark.parametrize("bfp", one_in(2, OTHERS), ids=str)
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


@pytest.mark.parametrize("adder_levels", DEPTHS)
@pytest.mark.parametrize("sign", [0, 1])
def test_extremes_of_one_beat(sign, adder_levels):
    bfp = Bfp(adder_levels=adder_levels)
    rng = random.Random(4)
    check(bfp, [extreme_beat(bfp, sign)] * 3 + [bubble(bfp, rng, restart=True)])


@pytest.mark.parametrize("adder_levels", DEPTHS)
@pytest.mark.parametrize("spacing", [2, 3, 4, 5, 6, 7, 8])
def test_restarts_at_any_spacing(spacing, adder_levels):
    bfp = Bfp(adder_levels=adder_levels)
    rng = random.Random(spacing)
    beats = [random_beat(bfp, rng) for _ in range(6 * spacing)]
    for last in beats[spacing - 1 :: spacing]:
        last["restart"] = True
    check(bfp, beats)


@pytest.mark.parametrize("adder_levels", DEPTHS)
def test_drain_words_from_below_pass_an_idle_element(adder_levels):
    bfp = Bfp(adder_levels=adder_levels)
    rng = random.Random(5)
    latency = Fmac(bfp).latency
    beats = tiles(bfp, rng, [7, 3, 5, 4, 2]) + [bubble(bfp, rng) for _ in range(latency)]
    own = {cycle + latency + late - 1 for cycle, now in enumerate(beats) if now["restart"] for late in (0, 1)}
    for cycle, now in enumerate(beats):
        now["drain"] = 0 if cycle in own else rng.getrandbits(18)
    check(bfp, beats)


def test_shallower_pipelines_have_separate_names_and_the_stated_latency():
    elements = [Fmac(Bfp(adder_levels=levels)) for levels in range(1, 7)]
    assert [element.latency for element in elements] == [10, 6, 5, 5, 5, 4]
    assert len({element.module_name for element in elements}) == 6
    assert elements[0].module_name == "fmac_l16_a2_b2_m4_e3_k4096"
    assert [Fmac(Bfp(adder_levels=levels, aligner="ecp5")).latency for levels in range(1, 7)] == [10, 7, 6, 6, 6, 5]
    assert Fmac(Bfp(aligner="ecp5")).module_name == "fmac_l16_a2_b2_m4_e3_k4096_ecp5_aligner"
