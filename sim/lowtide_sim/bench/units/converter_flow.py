"""cocotb tests of a converter: random rows with random stalls, reset, throughput, latency, and backpressure."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.streams.pause import STALLS
from lowtide_sim.bench.units.converter_bench import ConverterBench


@cocotb.test()
@cocotb.parametrize((("i", "o"), STALLS))
async def random_rows(dut, i, o):
    """Every group and its status ports are right, for rows of random length, precision and bias."""
    bench = await ConverterBench(dut, (i, o)).start()
    for _ in range(parameters().get("tensors", 12)):
        await bench.set_randomly()
        bench.send_rows(bench.rng.randint(1, 4))
        await bench.finish()


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none"), ("half", "half")])
async def reset_at_any_moment(dut, stalls):
    """After a reset, the next groups are right, and no old group arrives."""
    bench = await ConverterBench(dut, stalls).start()
    for _ in range(parameters().get("resets", 25)):
        await bench.set_randomly()
        bench.send_rows(3)
        await ClockCycles(dut.clk, bench.rng.randint(1, 3 * bench.sidecar["latency"]))
        await bench.reset(bench.rng.randint(1, 3))
        bench.send_rows(1, longest=bench.rng.choice((1, 3)))
        await bench.finish()


@cocotb.test()
async def full_rate(dut):
    """Without stalls, the converter accepts a word in every cycle, and each group arrives after the latency."""
    bench = await ConverterBench(dut).start()
    count = 40
    bench.set(0, bench.max_chunks)
    await ClockCycles(dut.clk, 2)
    words = count * (bench.lanes if bench.serial else 1)
    width = len(dut.i__payload) - 1
    bench.source.send([(bench.rng.getrandbits(width), False) for _ in range(words)])
    await bench.finish()
    assert [y - x for x, y in pairwise(bench.taken)] == [1] * (words - 1)
    ends = bench.taken[words // count - 1 :: words // count]
    assert [edge - end for edge, end in zip(bench.received, ends, strict=True)] == [bench.sidecar["latency"]] * count


@cocotb.test()
async def backpressure(dut):
    """When the sink stalls, the unit stalls its source and loses nothing."""
    bench = await ConverterBench(dut).start()
    bench.send_rows(500 // bench.lanes + 40)
    await bench.check_backpressure(stall=600, fills=450, waits=100)
