"""Sum memory: every row that leaves is the exact sum, whatever stalls; nothing leaves before its last pass."""

import random
import re

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from lowtide.emission.folder import verilog_and_modules
from lowtide.engine.sum_memory import SumMemory, SumMemoryParams, times
from lowtide.formats.parameter import IllegalValue
from lowtide_sim.bench.stimulus.sum_products import accumulator_word, random_products, sum_word, tile_words

SHAPES = {
    "one row, one tile": SumMemoryParams(rows=1, columns=1, tiles=1, width=3, sum_width=6),
    "one row, three tiles": SumMemoryParams(rows=1, columns=2, tiles=3, width=4, sum_width=5),
    "two rows, one tile": SumMemoryParams(rows=2, columns=3, tiles=1, width=5, sum_width=9),
    "three rows, five tiles": SumMemoryParams(rows=3, columns=2, tiles=5, width=6, sum_width=8),
    "eight rows": SumMemoryParams(rows=8, columns=2, tiles=4, width=9, sum_width=12),
}


def run(params, products, shares, seed=1, ahead=3):
    """What leaves, when, and how many products were kept; tiles arrive up to ``ahead`` before their first row."""
    dut, rng = SumMemory(params), random.Random(seed)
    rows = [row for product in products for row in product.rows]
    words = [word for product in products for word in tile_words(params, product)]
    taken, left, kept = [], [], 0

    async def bench(ctx):
        nonlocal kept
        next_row, next_tile, offered, ready_tile, cycle = 0, 0, False, False, 0
        while next_row < len(rows) or len(left) < sum(row.sums is not None for row in rows):
            ready_tile = ready_tile or (next_tile < len(words) and rng.random() >= shares[0])
            ready_tile = ready_tile and next_tile <= next_row // params.rows + ahead
            if ready_tile:
                ctx.set(dut.tile.payload.as_value(), words[next_tile])
            ctx.set(dut.tile.valid, ready_tile)
            offered = offered or (next_row < len(rows) and rng.random() >= shares[1])
            if offered:
                ctx.set(dut.i.payload.as_value(), accumulator_word(params, rows[next_row]))
            ctx.set(dut.i.valid, offered)
            ctx.set(dut.o.ready, rng.random() >= shares[2])
            _, _, tile, row, out, payload, done = await ctx.tick().sample(
                dut.tile.valid & dut.tile.ready,
                dut.i.valid & dut.i.ready,
                dut.o.valid & dut.o.ready,
                dut.o.payload.as_value(),
                dut.kept,
            )
            if tile:
                next_tile, ready_tile = next_tile + 1, False
            if row:
                next_row, offered = next_row + 1, False
                taken.append(cycle)
            if out:
                left.append((cycle, payload))
            kept += done
            cycle += 1
            assert cycle < 50 * len(rows) + 1000
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 1)
        for _ in range(5):
            _, _, out, done = await ctx.tick().sample(dut.o.valid, dut.kept)
            assert not out
            kept += done

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return taken, left, kept


@pytest.mark.parametrize("shares", [(0, 0, 0), (0, 0.5, 0), (0.3, 0.3, 0.3), (0, 0, 0.7), (0.8, 0.1, 0.1)])
@pytest.mark.parametrize("name", SHAPES)
def test_sums_are_exact(name, shares):
    params = SHAPES[name]
    products = random_products(random.Random(name), params, 80 // params.rows + 10)
    _, left, kept = run(params, products, shares)
    due = [sum_word(params, product, row) for product in products for row in product.rows if row.sums is not None]
    assert [word for _, word in left] == due
    assert kept == sum(product.keep for product in products)
    assert any(product.add and product.keep for product in products)


def test_rows_pass_every_second_cycle():
    """Rows without sums leave two cycles after they arrive, a row per two cycles, also across tiles and products."""
    params = SHAPES["three rows, five tiles"]
    rng = random.Random(3)
    products = [product for product in random_products(rng, params, 200) if not product.add and not product.keep]
    taken, left, _ = run(params, products, (0, 0, 0))
    assert [cycle for cycle, *_ in left] == [cycle + SumMemory.latency for cycle in taken]
    assert taken == list(range(taken[0], taken[0] + 2 * len(taken), 2))


def test_a_stall_of_the_sink_reaches_the_source_a_cycle_later():
    """A path from the sink's `ready` through the array's `ready` would limit the clock of a large chip."""
    params = SHAPES["three rows, five tiles"]
    dut, rng = SumMemory(params), random.Random(1)
    ready = {False: 0, True: 0}

    async def bench(ctx):
        word = tile_words(params, next(of for of in random_products(rng, params, 100) if not of.add and not of.keep))[0]
        ctx.set(dut.tile.payload.as_value(), word)
        ctx.set(dut.tile.valid, 1)
        for _ in range(500):
            ctx.set(dut.i.valid, rng.random() < 0.7)
            accepts = []
            for stalled in rng.sample([False, True], 2):
                ctx.set(dut.o.ready, not stalled)
                accepts.append((ctx.get(dut.i.ready), ctx.get(dut.tile.ready)))
            assert accepts[0] == accepts[1]
            ready[bool(accepts[0][0])] += 1
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert min(ready.values()) > 50


@pytest.mark.parametrize("factor", range(1, 20))
def test_multiples_of_a_constant(factor):
    m, value, multiple = Module(), Signal(4), Signal(10)
    m.d.comb += multiple.eq(times(value, factor))

    async def bench(ctx):
        for n in range(16):
            ctx.set(value, n)
            assert ctx.get(multiple) == factor * n

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


def test_addresses_need_no_multiplier():
    text, _ = verilog_and_modules(SumMemory(SumMemoryParams(rows=7, tiles=9)))
    assert not re.search(r"\w \* \w", text)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"width": 20, "sum_width": 19}, r"sum_width must be 20 or more \(the width of an accumulator\), not 19"),
        ({"columns": 512, "sum_width": 128}, r"columns must be from 1 to 511 \(.+, 128 per sum\), not 512"),
        (
            {"rows": 512, "columns": 500, "sum_width": 128},
            r"rows must be from 1 to 262 \(.+ 16,777,216 bits, 128 per sum\), not 512",
        ),
        ({"rows": 16, "columns": 16, "tiles": 1525}, r"tiles must be from 1 to 1524 \(.+, 43 per sum\), not 1525"),
    ],
)
def test_illegal_parameters(keys, complaint):
    with pytest.raises(IllegalValue, match=f"^{complaint}$"):
        SumMemoryParams(**keys)
