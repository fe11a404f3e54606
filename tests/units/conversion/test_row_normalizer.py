"""Row normalizer: order of the numbers, counts of overflows and underflows, and saturation of the counters."""

import random
import re

import plain_fp32 as plain
import pytest
from amaranth.sim import Simulator

from lowtide.emission.folder import verilog_and_modules
from lowtide.formats import IllegalValue
from lowtide.units.arithmetic.saturating_counter import SaturatingCounter
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams

SHAPES = [(1, 1), (2, 1), (6, 2), (7, 1), (7, 7), (9, 1), (8, 4), (66, 1), (64, 16)]


def run(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("columns", "normalizers"), SHAPES)
def test_columns_in_order_one_beat_per_cycle(columns, normalizers):
    width, rows = 28, 4
    shape = RowNormalizerParams(columns=columns, width=width, normalizers=normalizers)
    dut = RowNormalizer(shape)
    cases = plain.accumulators(width, seed=columns, count=300)
    rng = random.Random(columns)
    table = [([acc for acc, _ in rng.choices(cases, k=columns)], rng.randint(-150, 110)) for _ in range(rows)]
    due = []
    for n, (accs, scale) in enumerate(table):
        numbers = [plain.to_bits(acc, scale) for acc in accs]
        for first in range(0, columns, normalizers):
            ends = first + normalizers == columns
            due.append((numbers[first : first + normalizers], ends, ends and n == rows - 1))

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        waiting, received, cycle = list(table), [], 0
        while len(received) < len(due):
            if waiting:
                accs, scale = waiting[0]
                row = sum((acc & (1 << width) - 1) << column * width for column, acc in enumerate(accs))
                ctx.set(dut.i.payload.data, row)
                ctx.set(dut.i.payload.last, len(waiting) == 1)
                ctx.set(dut.scale, scale)
            ctx.set(dut.i.valid, bool(waiting))
            _, _, taken, valid, payload = await ctx.tick().sample(
                dut.i.valid & dut.i.ready, dut.o.valid, dut.o.payload.as_value()
            )
            assert bool(valid) == (cycle >= dut.latency), f"cycle {cycle}"
            cycle += 1
            if taken:
                waiting.pop(0)
            if valid:
                received.append(payload)
        for payload, (numbers, ends, last) in zip(received, due, strict=True):
            lanes = [payload >> 32 * lane & 0xFFFFFFFF for lane in range(normalizers)]
            assert (lanes, payload >> 32 * normalizers) == ([bits for bits, _, _ in numbers], ends | last << 1)
        await ctx.tick().repeat(12)
        every = [number for numbers, _, _ in due for number in numbers]
        assert ctx.get(dut.overflows) == sum(overflow for _, overflow, _ in every)
        assert ctx.get(dut.underflows) == sum(underflow for _, _, underflow in every)

    run(dut, bench)


@pytest.mark.parametrize("events", [1, 2, 3, 5, 8, 21])
def test_counts_and_saturates(events):
    dut = SaturatingCounter(events, 6)

    async def bench(ctx):
        rng = random.Random(events)
        sent, count, clear = [0] * (dut.latency - 1), 0, False
        for _ in range(400):
            assert ctx.get(dut.count) == count
            word = rng.getrandbits(events) & rng.getrandbits(events)
            clear = rng.random() < 0.02
            ctx.set(dut.events, word)
            ctx.set(dut.clear, clear)
            await ctx.tick()
            sent.append(word.bit_count())
            count = min((0 if clear else count) + sent.pop(0), 63)

    run(dut, bench)


def test_a_count_reaches_its_largest_number():
    dut = SaturatingCounter(4, 4)

    async def bench(ctx):
        ctx.set(dut.events, 0b0111)
        counts = []
        for _ in range(12):
            await ctx.tick()
            counts.append(ctx.get(dut.count))
        assert counts == [0, 0, 3, 6, 9, 12, 15, 15, 15, 15, 15, 15]

    run(dut, bench)


def test_normalizers_must_divide_the_columns():
    words = "normalizers must be a divisor of columns = 12: one of 1, 2, 3, 4, 6, 12, not 5"
    with pytest.raises(IllegalValue, match=f"^{re.escape(words)}$"):
        RowNormalizerParams(columns=12, normalizers=5)


@pytest.mark.slow
def test_the_widest_row_is_emitted():
    params = RowNormalizerParams(columns=511, width=128)
    assert f"input [{511 * 128}:0] i__payload;" in verilog_and_modules(RowNormalizer(params))[0]


def test_a_row_that_is_too_wide_is_refused():
    words = "columns must be from 1 to 511 (a row has at most 65,500 bits, 128 per accumulator), not 512"
    with pytest.raises(IllegalValue, match=f"^{re.escape(words)}$"):
        RowNormalizerParams(columns=512, width=128)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("columns", 513, "columns must be from 1 to 512, not 513"),
        ("counter_bits", 9, "counter_bits must be from 10 to 32, not 9"),
        ("width", 129, "width must be from 2 to 128, not 129"),
    ],
)
def test_an_illegal_value_names_the_legal_values(key, value, words):
    with pytest.raises(IllegalValue, match=f"^{re.escape(words)}$"):
        RowNormalizerParams(**{key: value})
