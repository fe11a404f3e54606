"""Term queues, signed encoders, and top terms of rows compared with the golden model."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.array.terms.row import Row
from lowtide.formats.terms import Terms
from lowtide.units.terms.signed_encoder import SignedEncoder
from lowtide.units.terms.term_queue import TermQueue
from lowtide_model.terms import digits_of, reveal_data, term_queue

FORMATS = [
    Terms(),
    Terms(group=1, budget=1, data_terms=1),
    Terms(width=5, encoding="booth", group=6, values=4, budget=9, data_terms=2),
    Terms(width=16, encoding="binary", group=13, values=2, budget=60, data_terms=3),
]


def simulate(dut, bench, watch=None):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    if watch:
        simulator.add_testbench(watch, background=True)
    simulator.run()


def planes(digits):
    """Digits as two bit masks: which are terms, and which are negative."""
    flat = np.asarray(digits).reshape(-1).tolist()
    return sum((digit != 0) << n for n, digit in enumerate(flat)), sum((digit < 0) << n for n, digit in enumerate(flat))


@pytest.mark.parametrize("width", [2, 3, 8])
@pytest.mark.parametrize("encoding", ["binary", "booth", "hese"])
def test_digits_of_every_integer_equal_the_model(encoding, width):
    dut = SignedEncoder(width, encoding)
    values = list(range(-(1 << width - 1), 1 << width - 1))
    expected = [planes(digits) for digits in digits_of(values, width, encoding)]

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        for n in range(len(values) + dut.latency):
            ctx.set(dut.i, values[min(n, len(values) - 1)])
            if n >= dut.latency:
                nonzero = ctx.get(dut.nonzero)
                assert (nonzero, ctx.get(dut.negative) & nonzero) == expected[n - dut.latency], values[n - dut.latency]
            await ctx.tick()

    simulate(dut, bench)


@pytest.mark.parametrize("terms", FORMATS, ids=str)
def test_terms_of_queues_equal_the_model(terms):
    """Consecutive groups, with and without pauses, each stopped at a random term, while the next group is written."""
    rng = random.Random(1)
    dut = TermQueue(terms)
    lowest = -(1 << terms.width - 1)
    groups = []
    for kind in ("any", "zero", "ends", "any", "any", "any"):
        count = rng.randint(1, terms.group)
        values = [0 if kind == "zero" else rng.choice((lowest, rng.randint(lowest, -lowest - 1))) for _ in range(count)]
        groups.append(values)
    most = terms.group * terms.most_terms + 2  # and words without a term after them
    received, expected = [], []

    async def write(ctx, n):
        values = groups[n] + [0] * (-len(groups[n]) % terms.values)
        digits = digits_of(values, terms.width, terms.encoding).reshape(-1, terms.values * terms.digits)
        for slot, some in enumerate(digits):
            nonzero, negative = planes(some)
            for port, value in {"first": slot == 0, "slot": slot, "bank": n % 2, "nonzero": nonzero}.items():
                ctx.set(getattr(dut, port), int(value))
            # The sign of a zero digit is undefined.
            ctx.set(dut.negative, negative | (rng.getrandbits(len(dut.negative)) & ~nonzero))
            ctx.set(dut.write, 1)
            await ctx.tick()
        ctx.set(dut.write, 0)

    async def bench(ctx):
        await write(ctx, 0)
        for n, values in enumerate(groups):
            budget = rng.choice((1, most, rng.randint(1, most)))
            queue = term_queue(values, width=terms.width, group=len(values), budget=budget, encoding=terms.encoding)
            fields = (queue.nonzero, queue.exponent, queue.index, queue.negative)
            expected.extend(zip(*(field[0].tolist() for field in fields), strict=True))
            sent = 0
            while sent < budget:
                go = rng.random() < 0.8
                ctx.set(dut.next, int(go))
                ctx.set(dut.next_first, int(sent == 0))
                ctx.set(dut.next_bank, n % 2)
                sent += go
                await ctx.tick()
            ctx.set(dut.next, 0)
            if n + 1 < len(groups):
                await write(ctx, n + 1)
        await ctx.tick().repeat(3)

    async def watch(ctx):
        going = [False, False]
        while True:
            o = dut.o
            if going[-2]:
                word = tuple(ctx.get(value) for value in (o.nonzero, o.exponent, o.index, o.negative))
                received.append(word if word[0] else (0, 0, 0, 0))
            else:
                assert not ctx.get(o.nonzero)
            going = [*going[-1:], bool(ctx.get(dut.next))]
            await ctx.tick()

    simulate(dut, bench, watch)
    assert received == expected


@pytest.mark.parametrize("terms", FORMATS, ids=str)
def test_rows_keep_the_largest_terms_of_each_value(terms):
    rng = random.Random(2)
    dut = Row(terms)
    lowest = -(1 << terms.width - 1)
    inputs = []
    for _ in range(150):
        values = [rng.choice((lowest, -lowest - 1, rng.randint(lowest, -lowest - 1))) for _ in range(terms.values)]
        control = {
            "take": rng.getrandbits(1),
            "slot": rng.randrange(terms.slots),
            "bank": rng.getrandbits(1),
            "data_terms": rng.randint(0, terms.most_terms),
        }
        inputs.append((values, control))

    async def bench(ctx):
        for n in range(len(inputs) + dut.latency):
            values, control = inputs[min(n, len(inputs) - 1)]
            mask = (1 << terms.width) - 1
            ctx.set(dut.i, sum((value & mask) << j * terms.width for j, value in enumerate(values)))
            ctx.set(dut.control_i, control)
            if n >= dut.latency:
                values, control = inputs[n - dut.latency]
                left = reveal_data(values, width=terms.width, terms=control["data_terms"], encoding=terms.encoding)
                word = ctx.get(dut.o)
                assert [word.value[j] for j in range(terms.values)] == left.tolist()
                assert (word.write, word.slot, word.bank) == (control["take"], control["slot"], control["bank"])
            await ctx.tick()

    simulate(dut, bench)
