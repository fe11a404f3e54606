"""cocotb tests of an engine's results, with random stalls and after resets at random times."""

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.environment import parameters

__all__ = ["check_end", "follow_each_other", "reset_at_moments"]


async def follow_each_other(bench: EngineBench) -> None:
    """Start each product as soon as the engine is ready, and check every bit of every result."""
    products = [bench.random_product() for _ in range(parameters().get("products", 6))]
    waiting = []
    for product in products:
        await bench.begin(*product)
        waiting.append(product)
        if len(waiting) == 3:
            await bench.finish(*waiting.pop(0))
    for product in waiting:
        await bench.finish(*product)
    await check_end(bench, len(products))


async def check_end(bench: EngineBench, products: int) -> None:
    """Check that no error was flagged, that all products are counted, and that no further results arrive."""
    await bench.poll("status", 2)
    assert await bench.read("errors") == 0
    assert await bench.read("products") == products
    await ClockCycles(bench.dut.clk, 100)
    assert not bench.received


async def reset_at_moments(bench: EngineBench) -> None:
    """Reset during a product; the next product must be right, without results of the old one before it."""
    for _ in range(parameters().get("resets", 8)):
        await bench.begin(*bench.random_product())
        await ClockCycles(bench.dut.clk, bench.rng.randint(1, bench.rng.choice((12, 200))))
        await bench.reset()
        product = bench.random_product()
        await bench.begin(*product)
        await bench.finish(*product)


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "bursts"), ("light", "heavy", "half")])
async def products_that_follow_each_other(dut, stalls):
    """Every bit of every result is right; each product starts as soon as the engine is ready."""
    await follow_each_other(await EngineBench(dut, stalls).start())


@cocotb.test()
async def reset_at_any_moment(dut):
    """After a reset, the next product is right, and no result of the old product arrives."""
    await reset_at_moments(await EngineBench(dut, ("light", "light", "light")).start())
