"""The array in Amaranth's own simulator, against sums in Python integers."""

import itertools
import random
from functools import partial
from typing import Any

import pytest
from amaranth.sim import Simulator

from fixtures.slow_cases import one_in
from lowtide.array.systolic import SystolicArray
from lowtide.formats import Bfp
from lowtide.units.arithmetic.fmac import Fmac


class Bench:
    """Random tiles through an array, with random pauses on all three streams."""

    def __init__(self, dut: SystolicArray, tiles: list[int], pause: float, seed: int):
        self.dut, self.rng, self.pause = dut, random.Random(seed), pause
        self.beats = []
        self.expected = []
        for count in tiles:
            self.add_tile(count)
        self.received = []
        self.cycle = 0
        self.taken_at: list[int] = []
        self.received_at: list[int] = []

    def add_tile(self, count):
        element: Any = self.dut.element()
        bfp, shape = element.bfp, self.dut
        sums = [[0] * shape.columns for _ in range(shape.rows)]
        for n in range(count):
            a = [self.word(bfp.layout_a) for _ in range(shape.rows)]
            b = [self.word(bfp.layout_b) for _ in range(shape.columns)]
            for row, x in zip(sums, a, strict=True):
                for column, y in enumerate(b):
                    dot = sum(p * q for p, q in zip(x["values"], y["values"], strict=True))
                    row[column] += dot << x["exponent"] + y["exponent"]
            self.beats.append((pack(a, bfp.layout_a), pack(b, bfp.layout_b), n == count - 1))
        self.expected += [(row, index == shape.rows - 1) for index, row in enumerate(sums)]

    def word(self, layout):
        largest = (1 << layout.chunk) - 1
        values = [self.rng.randint(-largest, largest) for _ in range(layout.lanes)]
        return {"values": values, "exponent": self.rng.randint(0, layout.max_code)}

    async def source(self, ctx, stream, side):
        for beat in self.beats:
            while self.rng.random() < self.pause:
                await ctx.tick()
            ctx.set(stream.payload.data, beat[side])
            ctx.set(stream.payload.last, beat[2])
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            if side == 0:
                self.taken_at.append(self.cycle - 1)
            ctx.set(stream.valid, 0)

    async def sink(self, ctx):
        stream, width = self.dut.c, self.dut.element().accumulator
        while len(self.received) < len(self.expected):
            ctx.set(stream.ready, self.rng.random() >= self.pause)
            _, _, valid, ready, data, last = await ctx.tick().sample(
                stream.valid, stream.ready, stream.payload.data, stream.payload.last
            )
            if valid and ready:
                row = [signed(data >> width * n, width) for n in range(self.dut.columns)]
                self.received.append((row, bool(last)))
                self.received_at.append(self.cycle - 1)

    async def clock(self, ctx):
        while True:
            await ctx.tick()
            self.cycle += 1

    def run(self):
        async def feed_a(ctx):
            await self.source(ctx, self.dut.a, 0)

        async def feed_b(ctx):
            await self.source(ctx, self.dut.b, 1)

        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(self.clock, background=True)
        for testbench in (feed_a, feed_b, self.sink):
            simulator.add_testbench(testbench)
        simulator.run()
        assert self.received == self.expected


def pack(words, layout):
    """Words side by side, the first lowest; a zero gets a random-looking sign, which must not matter."""
    bits = 0
    for word in reversed(words):
        lanes = [{"magnitude": abs(v), "sign": v < 0 or (v == 0 and word["exponent"] & 1)} for v in word["values"]]
        bits = bits << layout.size | layout.const({"lane": lanes, "exponent": word["exponent"]}).as_bits()
    return bits


def signed(bits, width):
    bits &= (1 << width) - 1
    return bits - (bits >> width - 1 << width)


def array(rows, columns, skew: str = "registers", block=(1, 1), **bfp):
    settings: dict[str, Any] = {"lanes": 4, "exponent": 2, "max_k": 256} | bfp
    element = partial(Fmac, Bfp(**settings))
    return SystolicArray(rows, columns, element, skew, block)


@pytest.mark.parametrize("pause", [0, 0.4])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 4), (5, 1), (2, 3), (3, 2), (4, 4)])
def test_results_are_exact(rows, columns, pause):
    Bench(array(rows, columns), [1, 2, 30, 1, 1, 7], pause, seed=rows * 100 + columns * 10).run()


@pytest.mark.parametrize("pause", [0, 0.4])
@pytest.mark.parametrize(("rows", "columns"), one_in(4, [(2, 3), (1, 1), (1, 4), (5, 1), (17, 2)]))
def test_results_are_exact_with_a_skew_in_memory(rows, columns, pause):
    Bench(array(rows, columns, "memory"), [1, 2, 30, 1, 1, 7], pause, seed=rows * 100 + columns * 10).run()


@pytest.mark.parametrize("skew", ["registers", "memory"])
@pytest.mark.parametrize(
    ("rows", "columns", "block"),
    one_in(
        3,
        [
            (1, 1, (2, 2)),
            (1, 2, (1, 2)),
            (2, 1, (2, 1)),
            (3, 3, (2, 2)),
            (2, 4, (1, 2)),
            (4, 2, (2, 1)),
            (7, 1, (3, 1)),
            (2, 5, (4, 3)),
            (5, 2, (4, 4)),
            (1, 11, (1, 3)),
            (6, 2, (512, 512)),
        ],
    ),
)
def test_results_are_exact_with_blocks_that_share_registers(rows, columns, block, skew):
    Bench(array(rows, columns, skew, block), [1, 2, 30, 1, 1, 7], 0.3, seed=rows * 100 + columns).run()


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("block", [2, 3, 8])
def test_each_block_of_columns_costs_one_cycle(columns, block):
    blocks = (columns + block - 1) // block
    assert array(2, columns, block=(2, block)).latency == array(2, blocks).latency


@pytest.mark.parametrize(
    "bfp",
    [
        {"chunk_a": 1, "chunk_b": 1, "mantissa": 1},
        {"chunk_a": 3, "chunk_b": 1, "mantissa": 6},
        {"chunk_a": 4, "chunk_b": 2, "mantissa": 8},
        {"exponent": 5, "max_k": 1 << 16},
        {"exponent": 1, "lanes": 8},
    ],
)
def test_other_formats(bfp):
    Bench(array(2, 2, **bfp), [3, 9, 1], 0.3, seed=1).run()


@pytest.mark.parametrize(
    ("rows", "columns", "skew", "block"),
    [
        (1, 1, "registers", (1, 1)),
        (3, 2, "registers", (1, 1)),
        (2, 5, "registers", (1, 1)),
        (3, 5, "memory", (1, 1)),
        (2, 5, "registers", (2, 2)),
        (3, 7, "memory", (2, 3)),
    ],
)
def test_latency(rows, columns, skew, block):
    dut = array(rows, columns, skew, block)
    bench = Bench(dut, [20], 0, seed=2)
    bench.run()
    assert bench.received_at[0] - bench.taken_at[-1] == dut.latency
    assert bench.received_at == [bench.received_at[0] + 2 * row for row in range(rows)]


@pytest.mark.parametrize(("beats", "interval"), [(20, 20), (9, 9), (8, 8), (7, 8), (5, 8), (1, 8)])
def test_tile_spacing(beats, interval):
    dut = array(4, 2)
    bench = Bench(dut, [beats] * 6, 0, seed=3)
    bench.run()
    first_rows = bench.received_at[:: dut.rows]
    assert [later - earlier for earlier, later in itertools.pairwise(first_rows)] == [interval] * 5


def test_misaligned_last_is_reported():
    dut = array(1, 1)

    async def bench(ctx):
        for last_a, last_b, misaligned in ((0, 0, 0), (1, 1, 0), (0, 0, 0), (0, 1, 1), (1, 1, 1)):
            for stream, last in ((dut.a, last_a), (dut.b, last_b)):
                ctx.set(stream.payload.last, last)
                ctx.set(stream.valid, 1)
            await ctx.tick().until(dut.a.ready)
            assert ctx.get(dut.misaligned) == misaligned

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
