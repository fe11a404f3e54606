"""Block floating-point MAC compared with its golden model, bit by bit."""

import random
import re

import pytest
from float_words import answers, words

from lowtide.formats import IllegalValue
from lowtide.units.floating.block_mac import BlockFloatMac, BlockFloatMacParams
from lowtide_model.floating import block_float_mac
from lowtide_sim.bench.stimulus.operands import block_word, random_block

SHAPES = [
    BlockFloatMacParams(),
    BlockFloatMacParams(sum="fp16"),
    BlockFloatMacParams(lanes=4, magnitude=1, sum="fp8_e4m3"),
    BlockFloatMacParams(lanes=4, magnitude=1, sum="fp8_e5m2"),
    BlockFloatMacParams(lanes=64, magnitude=4),
    BlockFloatMacParams(lanes=8, magnitude=2, sum="bf16"),
]
NAMES = {shape: BlockFloatMac(shape).module_name for shape in SHAPES}


def check(shape, seed, count):
    rng, form = random.Random(seed), shape.sum_format
    a, b = ([random_block(rng, shape.lanes, shape.magnitude) for _ in range(count)] for _ in range(2))
    near = [(127 + rng.randint(-9, 9), 127 + rng.randint(-9, 9)) for _ in a]
    exponents = [rng.choice((e, (rng.getrandbits(8), rng.getrandbits(8)))) for e in near]
    sums = list(map(sum, exponents))
    c = words(rng, block_float_mac(a, b, sums, 0, shape.magnitude, form).tolist(), form, count)
    wanted = block_float_mac(a, b, sums, c, shape.magnitude, form).tolist()
    chunks_a, chunks_b = (
        [block_word(block, e[side], shape.magnitude) for block, e in zip(blocks, exponents, strict=True)]
        for side, blocks in enumerate((a, b))
    )
    received = answers(BlockFloatMac(shape), chunks_a, chunks_b, c)
    for *case, got, due in zip(a, b, exponents, c, received, wanted, strict=True):
        assert got == due, f"a, b, exponents, c: {case}"


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES.get)
def test_sums_equal_the_golden_model(shape):
    check(shape, 1, 400)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=NAMES.get)
def test_many_sums(shape):
    check(shape, 2, 5000)


def test_latency_follows_the_lanes():
    dut = BlockFloatMac(BlockFloatMacParams())
    assert (dut.latency, dut.sum_latency) == (19, 10)


def test_a_sum_narrower_than_a_dot_product_is_rejected():
    because = "its significand must have a dot product's 10 bits, for lanes = 16, magnitude = 3"
    message = f"sum must be one of fp32, fp16 ({because}), not 'bf16'"
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        BlockFloatMacParams(sum="bf16")
