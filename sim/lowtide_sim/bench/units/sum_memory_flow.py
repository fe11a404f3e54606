"""cocotb tests of a sum memory: random products with random stalls, reset, throughput, backpressure."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.sum_products import SumProduct, accumulator_word, random_products, sum_word, tile_words
from lowtide_sim.bench.units.sum_memory_bench import SumMemoryBench

STALLS = [
    ("none", "none", "none"),
    ("none", "half", "none"),
    ("half", "light", "half"),
    ("bursts", "none", "heavy"),
    ("heavy", "bursts", "light"),
]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def random_sums(dut, stalls):
    """Every row that leaves is the exact sum, and every kept product is reported once."""
    bench = await SumMemoryBench(dut, stalls).start()
    for _ in range(parameters().get("runs", 4)):
        bench.send(bench.rng.randint(5, 30))
        await bench.finish()


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "half", "half"), ("none", "none", "heavy")])
async def reset_at_any_moment(dut, stalls):
    """After a reset, the next sums are right, and no old row leaves."""
    bench = await SumMemoryBench(dut, stalls).start()
    for _ in range(parameters().get("resets", 25)):
        bench.send(4)
        await ClockCycles(dut.clk, bench.rng.randint(1, 12 * bench.params.rows))
        await bench.reset(bench.rng.randint(1, 3))
        bench.send(bench.rng.randint(1, 3))
        if bench.rng.random() < 0.3:
            await bench.finish()
    await bench.finish()


@cocotb.test()
async def full_rate(dut):
    """Without stalls, a row that is not kept passes every second cycle, which is the rate of an array."""
    bench = await SumMemoryBench(dut).start()
    plain: list[SumProduct] = []
    while len(plain) < 10:
        plain += [of for of in random_products(bench.rng, bench.params, 30) if not of.add and not of.keep]
    for product in plain:
        bench.tiles.send([(word, False) for word in tile_words(bench.params, product)])
    await ClockCycles(dut.clk, 8)  # the memory reads ahead
    for product in plain:
        bench.source.send([(accumulator_word(bench.params, row), False) for row in product.rows])
        bench.due.extend(sum_word(bench.params, product, row) for row in product.rows)
    await bench.finish()
    assert [y - x for x, y in pairwise(bench.taken)] == [2] * (len(bench.taken) - 1)
    assert [y - x for x, y in zip(bench.taken, bench.received, strict=True)] == [bench.sidecar["latency"]] * len(
        bench.taken
    )


@cocotb.test()
async def backpressure(dut):
    """When the sink stalls, the unit stalls its source and loses nothing."""
    bench = await SumMemoryBench(dut).start()
    bench.send(150)
    await bench.check_backpressure(stall=200, fills=160, waits=40)
