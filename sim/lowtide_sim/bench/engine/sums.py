"""cocotb tests of sums on chip, with random stalls and after resets at random times."""

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.engine.data import check_end
from lowtide_sim.bench.environment import parameters


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "bursts"), ("light", "heavy", "half")])
async def sums_that_follow_each_other(dut, stalls):
    """Every bit of every sum is right, and of products between them; each starts as soon as the engine is ready."""
    bench = await EngineBench(dut, stalls).start()
    products = 0
    for _ in range(parameters().get("products", 6)):
        passes, product = bench.random_passes(), bench.random_product()
        await bench.begin_sum(passes)
        await bench.begin(*product)
        await bench.finish_sum(passes)
        await bench.finish(*product)
        products += len(passes) + 1
    await check_end(bench, products)


@cocotb.test()
async def reset_during_a_sum(dut):
    """After a reset in any pass, nothing of the sum is left: the next sum is right."""
    bench = await EngineBench(dut, ("light", "light", "light")).start()
    for _ in range(parameters().get("resets", 8)):
        passes = bench.random_passes()
        await bench.begin_sum(passes[: bench.rng.randint(1, len(passes))])
        await ClockCycles(dut.clk, bench.rng.randint(1, bench.rng.choice((12, 200))))
        await bench.reset()
        passes = bench.random_passes()
        await bench.begin_sum(passes)
        await bench.finish_sum(passes)
