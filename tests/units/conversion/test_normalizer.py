"""Normalizer compared with integer arithmetic and with the golden model, bit by bit."""

import random
import re

import numpy as np
import plain_fp32 as plain
import pytest
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.slow_cases import quick_only
from lowtide.formats import IllegalValue
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide_model import scaled_to_fp32

# At the ends of FP32's range, far beyond them, and inside.
SCALES = (-512, -150, -134, -133, -132, -127, -126, -125, -1, 0, 100, 119, 120, 121, 127, 128, 511)
# Variants of the pipeline: one or two shifts first, short words, and the widest word.
WIDTHS = (2, 18, 25, 26, 27, 33, 34, 35, 49, 50, 65, 66, 83, 128)


def answers(width, cases, pauses=None):
    """Results of the normalizer for accumulators and scales: bits, overflow, and underflow of each."""
    dut = Normalizer(NormalizerParams(width=width))
    rng = random.Random(pauses)
    lasts = [rng.getrandbits(1) for _ in cases]
    received = []

    async def send(ctx):
        for (acc, scale), last in zip(cases, lasts, strict=True):
            while pauses is not None and rng.random() < 0.4:
                ctx.set(dut.i.valid, 0)
                ctx.set(dut.scale, rng.randint(-512, 511))
                await ctx.tick()
            ctx.set(dut.i.payload.data, acc)
            ctx.set(dut.i.payload.last, last)
            ctx.set(dut.scale, scale)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def receive(ctx):
        cycles = 0
        while len(received) < len(cases):
            ready = pauses is None or rng.random() < 0.6
            ctx.set(dut.o.ready, ready)
            _, _, valid, number, last, overflow, underflow = await ctx.tick().sample(
                dut.o.valid, dut.o.payload.data.as_value(), dut.o.payload.last, dut.overflow, dut.underflow
            )
            cycles += 1
            if valid and ready:
                received.append((number, bool(overflow), bool(underflow), last))
            assert cycles < 10 * len(cases) + 200, "no output arrives"
        if pauses is None:
            assert cycles == len(cases) + dut.latency, "it does not take one in every cycle"
        ctx.set(dut.o.ready, 1)
        for _ in range(dut.latency + 2):
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            assert not valid, "there are more numbers than accumulators"

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(receive)
    simulator.run()
    assert [last for *_, last in received] == lasts
    return [tuple(answer) for *answer, _ in received]


def check(width, cases, pauses=None):
    wanted = [plain.to_bits(*case) for case in cases]
    for case, got, want in zip(cases, answers(width, cases, pauses), wanted, strict=True):
        assert got == want, f"accumulator, scale: {case}"


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6, 8])
def test_every_accumulator(width):
    check(width, [(acc, scale) for acc in range(-(1 << width - 1), 1 << width - 1) for scale in SCALES])


@pytest.mark.slow
@pytest.mark.parametrize("width", [9, 10, 12])
def test_every_accumulator_of_more_bits(width):
    check(width, [(acc, scale) for acc in range(-(1 << width - 1), 1 << width - 1) for scale in SCALES])


def test_every_scale():
    check(7, [(acc, scale) for scale in range(-512, 512) for acc in (-64, -1, 63)])


@pytest.mark.parametrize("width", quick_only(WIDTHS[:: len(WIDTHS) - 1] + WIDTHS[4:8:2], WIDTHS))
def test_ties_powers_and_edges(width):
    check(width, plain.accumulators(width, seed=width, count=40))


@pytest.mark.slow
@pytest.mark.parametrize("width", range(2, 129))
def test_every_width(width):
    check(width, plain.accumulators(width, seed=1000 + width, count=500))


def test_pauses_on_both_sides():
    check(35, plain.accumulators(35, seed=1, count=20)[:400], pauses=1)


def test_a_number_is_offered_to_a_sink_that_waits_for_it():
    dut = Normalizer(NormalizerParams(width=35))

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


# A few set bits around the 24th give ties and near misses.
bits = st.lists(st.integers(0, 81), min_size=1, max_size=5).map(lambda places: sum(1 << n for n in set(places)))
dense = st.builds(
    lambda top, low, n: (top << n) + low, st.integers(2**23, 2**25), st.integers(-1, 1), st.integers(0, 56)
)
signed = st.builds(lambda n, sign: sign * n, bits | dense | st.integers(0, 2**82 - 1), st.sampled_from((1, -1)))


@settings(derandomize=True, deadline=None, max_examples=8)
@given(st.lists(st.tuples(signed, st.integers(-220, 140)), min_size=50))
def test_rounded_once_from_the_integer(cases):
    check(83, cases)


@pytest.mark.parametrize(("width", "scale"), [(35, -150), (35, 0), (83, -150), (83, 95)])
def test_results_and_counts_equal_the_golden_model(width, scale):
    accs = [acc for acc, _ in plain.accumulators(width, seed=scale, count=20)]
    golden = scaled_to_fp32(np.array(accs, object), scale)
    got = answers(width, [(acc, scale) for acc in accs])
    assert [number for number, _, _ in got] == golden.values.view(np.uint32).tolist()
    assert sum(overflow for _, overflow, _ in got) == golden.overflows
    assert sum(underflow for _, _, underflow in got) == golden.underflows


@pytest.mark.parametrize("width", [1, 129, "35"])
def test_an_illegal_width_names_the_legal_widths(width):
    with pytest.raises(IllegalValue, match=f"^{re.escape(f'width must be from 2 to 128, not {width!r}')}$"):
        NormalizerParams(width=width)


@pytest.mark.parametrize(("width", "latency"), [(2, 4), (8, 5), (24, 7), (35, 7), (51, 8), (83, 10), (128, 10)])
def test_latency_follows_the_width(width, latency):
    assert Normalizer(NormalizerParams(width=width)).latency == latency
