"""Row requantizer: order and settings of the values, and the count of saturations."""

import random
import re

import pytest
from accumulators import accumulator, settings, wanted
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.requantization.row_requantizer import RowRequantizer, RowRequantizerParams

SHAPES = [(1, 1), (2, 1), (6, 2), (7, 7), (9, 1), (8, 4), (66, 1)]
ROWS = 5


@pytest.mark.parametrize(("columns", "lanes"), SHAPES)
def test_columns_in_order_one_beat_per_cycle(columns, lanes):
    shape = RowRequantizerParams(columns=columns, lanes=lanes, accumulator=20, multiplier=9)
    dut, rng = RowRequantizer(shape), random.Random(columns)
    table, due, held = [], [], 0
    for n in range(ROWS):
        chosen = settings(shape, rng)
        accs = [accumulator(shape, rng, *chosen[:2]) for _ in range(columns)]
        table.append((accs, chosen))
        results, saturated = wanted(shape, accs, *chosen)
        held += saturated
        for first in range(0, columns, lanes):
            ends = first + lanes == columns
            due.append((results[first : first + lanes], ends, ends and n == ROWS - 1))

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        waiting, received, cycle = list(table), [], 0
        while len(received) < len(due):
            if waiting:
                accs, chosen = waiting[0]
                row = sum((acc & (1 << 20) - 1) << column * 20 for column, acc in enumerate(accs))
                ctx.set(dut.i.payload.data, row)
                ctx.set(dut.i.payload.last, len(waiting) == 1)
                for port, value in zip((dut.multiplier, dut.shift, dut.relu, dut.data_terms), chosen, strict=True):
                    ctx.set(port, value)
            ctx.set(dut.i.valid, bool(waiting))
            _, _, taken, valid, payload = await ctx.tick().sample(dut.i.valid & dut.i.ready, dut.o.valid, dut.o.payload)
            assert bool(valid) == (cycle >= dut.latency), f"cycle {cycle}"
            cycle += 1
            if taken:
                waiting.pop(0)
            if valid:
                received.append((list(payload.lane), payload.row, payload.last))
        assert received == due
        await ctx.tick().repeat(12)
        assert ctx.get(dut.saturations) == held

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": 12, "lanes": 5}, "lanes must be a divisor of columns = 12: one of 1, 2, 3, 4, 6, 12, not 5"),
        ({"columns": 513}, "columns must be from 1 to 512, not 513"),
        ({"counter_bits": 9}, "counter_bits must be from 10 to 32, not 9"),
        ({"width": 17}, "width must be from 2 to 16, not 17"),
    ],
)
def test_an_illegal_value_names_the_legal_values(changes, words):
    with pytest.raises(IllegalValue, match=f"^{re.escape(words)}$"):
        RowRequantizerParams(**changes)
