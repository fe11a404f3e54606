"""The multiply-accumulate for groups with floating-point sums against its golden model, to the bit."""

import random
import re

import pytest
from float_words import answers, words

from lowtide.formats import IllegalValue
from lowtide.units.floating.block_mac import BlockFloatMac, BlockFloatMacShape
from lowtide_sim.golden.floating import block_float_mac

SHAPES = [
    BlockFloatMacShape(),
    BlockFloatMacShape(sum="fp16"),
    BlockFloatMacShape(lanes=4, magnitude=1, sum="fp8_e4m3"),
    BlockFloatMacShape(lanes=4, magnitude=1, sum="fp8_e5m2"),
    BlockFloatMacShape(lanes=64, magnitude=4),
    BlockFloatMacShape(lanes=8, magnitude=2, sum="bf16"),
]
NAMES = {shape: BlockFloatMac(shape).module_name for shape in SHAPES}


def packed(group, exponent, magnitude):
    """A group as a chunk's bits."""
    lanes = (abs(x) | int(x < 0) << magnitude for x in group)
    word = sum(lane << n * (magnitude + 1) for n, lane in enumerate(lanes))
    return word | exponent << len(group) * (magnitude + 1)


def groups(shape, rng, count):
    """Groups of any elements, few elements, the largest, none, or one that is one."""
    top = 2**shape.magnitude - 1

    def group():
        kind = rng.random()
        if kind < 0.1:
            return [rng.choice((-top, top))] * shape.lanes
        if kind < 0.2:
            return [0] * (shape.lanes - 1) + [rng.choice((-1, 0, 1))]
        density = rng.choice((0.2, 1))
        return [rng.randint(-top, top) if rng.random() < density else 0 for _ in range(shape.lanes)]

    return [group() for _ in range(count)]


def check(shape, seed, count):
    rng, form = random.Random(seed), shape.sum_format
    a, b = groups(shape, rng, count), groups(shape, rng, count)
    near = [(127 + rng.randint(-9, 9), 127 + rng.randint(-9, 9)) for _ in a]
    exponents = [rng.choice((e, (rng.getrandbits(8), rng.getrandbits(8)))) for e in near]
    sums = list(map(sum, exponents))
    c = words(rng, block_float_mac(a, b, sums, 0, shape.magnitude, form).tolist(), form, count)
    wanted = block_float_mac(a, b, sums, c, shape.magnitude, form).tolist()
    chunks_a, chunks_b = (
        [packed(group, e[side], shape.magnitude) for group, e in zip(side_groups, exponents, strict=True)]
        for side, side_groups in enumerate((a, b))
    )
    came = answers(BlockFloatMac(shape), chunks_a, chunks_b, c)
    for *case, got, due in zip(a, b, exponents, c, came, wanted, strict=True):
        assert got == due, f"a, b, exponents, c: {case}"


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES.get)
def test_sums_are_those_of_the_golden_model(shape):
    check(shape, 1, 400)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=NAMES.get)
def test_many_sums(shape):
    check(shape, 2, 5000)


def test_latency_follows_the_lanes():
    dut = BlockFloatMac(BlockFloatMacShape())
    assert (dut.latency, dut.sum_latency) == (19, 10)


def test_a_sum_that_cannot_hold_a_dot_product_is_refused():
    message = "sum must be one of fp32, fp16 (a dot product has 10 bits, which its significand must hold), not 'bf16'"
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        BlockFloatMacShape(sum="bf16")
