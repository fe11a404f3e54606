"""Requantizer compared with the golden model bit by bit: every shift, ties, both ends, and changing settings."""

import random
import re

import pytest
from accumulators import wanted, words
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.requantization.requantizer import Requantizer, RequantizerParams

DEFAULT = RequantizerParams()
SHAPES = [
    DEFAULT,
    RequantizerParams(product="adders"),
    RequantizerParams(width=2, accumulator=2, multiplier=1, encoding="binary"),
    RequantizerParams(width=16, accumulator=2, multiplier=2, encoding="booth"),
    RequantizerParams(width=5, accumulator=17, multiplier=3, product="adders"),
    RequantizerParams(width=8, accumulator=18, multiplier=14, encoding="booth"),
    RequantizerParams(width=4, accumulator=64, multiplier=16),
    RequantizerParams(width=16, accumulator=64, multiplier=16, encoding="booth", product="adders"),
]
SHORT = {shape: Requantizer(shape).module_name for shape in SHAPES}


def answers(shape, cases, pauses=None):
    """Results of the requantizer for accumulators and settings, and whether they saturated."""
    dut = Requantizer(shape)
    rng = random.Random(pauses)
    lasts = [rng.getrandbits(1) for _ in cases]
    received = []

    def offer(ctx, word):
        ports = dut.i.payload.data, dut.multiplier, dut.shift, dut.relu, dut.data_terms
        for port, value in zip(ports, word, strict=True):
            ctx.set(port, value)

    async def send(ctx):
        for word, last in zip(cases, lasts, strict=True):
            while pauses is not None and rng.random() < 0.4:
                ctx.set(dut.i.valid, 0)
                offer(ctx, rng.choice(cases))
                await ctx.tick()
            offer(ctx, word)
            ctx.set(dut.i.payload.last, last)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def receive(ctx):
        cycles = 0
        while len(received) < len(cases):
            ready = pauses is None or rng.random() < 0.6
            ctx.set(dut.o.ready, ready)
            _, _, valid, result, last, saturated = await ctx.tick().sample(
                dut.o.valid, dut.o.payload.data, dut.o.payload.last, dut.saturated
            )
            cycles += 1
            if valid and ready:
                received.append((result, saturated, last))
            assert cycles < 10 * len(cases) + 200, "no output arrives"
        if pauses is None:
            assert cycles == len(cases) + dut.latency, "it does not take one in every cycle"
        ctx.set(dut.o.ready, 1)
        for _ in range(dut.latency + 2):
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            assert not valid, "there are more results than accumulators"

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(receive)
    simulator.run()
    assert [last for *_, last in received] == lasts
    return [tuple(answer) for *answer, _ in received]


def check(shape, cases, pauses=None):
    for case, got in zip(cases, answers(shape, cases, pauses), strict=True):
        results, saturated = wanted(shape, [case[0]], *case[1:])
        assert got == (results[0], saturated), f"accumulator, multiplier, shift, relu, terms: {case}"


@pytest.mark.parametrize("shape", SHAPES, ids=SHORT.get)
def test_results_equal_the_golden_model(shape):
    check(shape, list(words(shape, random.Random(1), 300)))


@pytest.mark.slow
@pytest.mark.parametrize("product", ["inferred", "adders"])
@pytest.mark.parametrize("encoding", ["binary", "booth", "hese"])
@pytest.mark.parametrize("accumulator", [2, 3, 7, 16, 17, 18, 28, 33, 34, 35, 36, 47, 48, 49, 51, 52, 64])
def test_many_widths(accumulator, encoding, product):
    rng = random.Random(accumulator)
    for multiplier in (1, 2, 3, 15, 16):
        shape = RequantizerParams(
            width=rng.randint(2, 16), accumulator=accumulator, encoding=encoding, multiplier=multiplier, product=product
        )
        check(shape, list(words(shape, rng, 600)))


def test_every_accumulator_at_every_shift():
    shape = RequantizerParams(width=3, accumulator=5, multiplier=2)
    check(shape, [(acc, 3, shift, 0, 2) for acc in range(-16, 16) for shift in range(shape.max_shift + 1)])


@pytest.mark.slow
def test_every_accumulator_multiplier_and_shift():
    shape = RequantizerParams(width=3, accumulator=6, multiplier=3)
    cases = [
        (acc, multiplier, shift, relu, 2)
        for acc in range(-32, 32)
        for multiplier in range(8)
        for shift in range(shape.max_shift + 1)
        for relu in (0, 1)
    ]
    check(shape, cases)


def test_shifts_beyond_all_bits_give_zero():
    shape = RequantizerParams(accumulator=3, multiplier=2)
    assert shape.max_shift == 4
    check(
        shape, [(acc, multiplier, shift, 0, 4) for acc in range(-4, 4) for multiplier in (0, 3) for shift in range(8)]
    )


def test_pauses_on_both_sides():
    check(DEFAULT, list(words(DEFAULT, random.Random(2), 300)), pauses=1)


def test_a_result_is_offered_to_a_sink_that_waits_for_it():
    dut = Requantizer(DEFAULT)

    async def bench(ctx):
        ctx.set(dut.i.valid, 1)
        await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(dut.latency - 1)
        assert ctx.get(dut.o.valid)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(
    ("changes", "latency"),
    [
        ({}, 12),
        ({"product": "adders"}, 13),
        ({"accumulator": 17}, 11),
        ({"accumulator": 35}, 13),
        ({"accumulator": 64}, 14),
        ({"accumulator": 2, "multiplier": 1, "product": "adders"}, 8),
    ],
)
def test_latency_follows_the_widths(changes, latency):
    assert Requantizer(RequantizerParams(**changes)).latency == latency


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("width", 1, "width must be from 2 to 16, not 1"),
        ("accumulator", 65, "accumulator must be from 2 to 64, not 65"),
        ("encoding", "csd", "encoding must be one of binary, booth, hese, not 'csd'"),
        ("multiplier", 0, "multiplier must be from 1 to 16, not 0"),
        ("product", "dsp", "product must be one of inferred, adders, not 'dsp'"),
    ],
)
def test_an_illegal_value_names_the_legal_values(key, value, words):
    with pytest.raises(IllegalValue, match=f"^{re.escape(words)}$"):
        RequantizerParams(**{key: value})
