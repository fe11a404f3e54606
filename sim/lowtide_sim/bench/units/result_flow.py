"""cocotb tests of units behind the array: random words with random stalls, counts, reset, throughput, backpressure."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.streams.pause import STALLS
from lowtide_sim.bench.units.result_bench import ResultBench


@cocotb.test()
@cocotb.parametrize((("i", "o"), STALLS))
async def random_words(dut, i, o):
    """Every result, its event flags and the counts are right, for random accumulators and settings."""
    bench = await ResultBench(dut, (i, o)).start()
    for run in range(parameters().get("runs", 4)):
        bench.send(bench.rng.randint(20, 60))
        await bench.finish()
        if bench.row and run % 2:
            await bench.clear()
    assert bench.counted, "no event was counted"


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none"), ("half", "half")])
async def reset_at_any_moment(dut, stalls):
    """After a reset, the next results and counts are right, and no old result arrives."""
    bench = await ResultBench(dut, stalls).start()
    for _ in range(parameters().get("resets", 25)):
        bench.send(3 + bench.sidecar["latency"])
        await ClockCycles(dut.clk, bench.rng.randint(1, 3 * bench.sidecar["latency"]))
        await bench.reset(bench.rng.randint(1, 3))
        bench.send(bench.rng.randint(1, 3))
        if bench.rng.random() < 0.3:
            await bench.finish()
    await bench.finish()


@cocotb.test()
async def full_rate(dut):
    """Without stalls, a beat arrives in every cycle, the first after the latency."""
    bench = await ResultBench(dut).start()
    words = 30
    bench.send(words)
    await bench.finish()
    assert [y - x for x, y in pairwise(bench.taken)] == [bench.beats] * (words - 1)
    assert [y - x for x, y in pairwise(bench.received)] == [1] * (words * bench.beats - 1)
    assert bench.received[0] - bench.offered[0] == bench.sidecar["latency"]


@cocotb.test()
async def backpressure(dut):
    """When the sink stalls, the unit stalls its source and loses nothing."""
    bench = await ResultBench(dut).start()
    bench.send(80)
    await bench.check_backpressure(stall=100, fills=60, waits=40)
