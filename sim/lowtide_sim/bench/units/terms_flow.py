"""cocotb tests of units for groups of digits: random groups with random stalls, reset, throughput, backpressure."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.streams.pause import STALLS
from lowtide_sim.bench.units.terms_bench import TermsBench


@cocotb.test()
@cocotb.parametrize((("i", "o"), STALLS))
async def random_groups(dut, i, o):
    """Every plane is right, for groups with few or many terms; a waterline's settings change in every cycle."""
    bench = await TermsBench(dut, (i, o)).start()
    for _ in range(parameters().get("runs", 4)):
        bench.send(bench.rng.randint(20, 50))
        await bench.finish()
    assert bench.dropped or not bench.waterline, "no plane exceeded its budget"


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none"), ("half", "half")])
async def reset_at_any_moment(dut, stalls):
    """After a reset, the next planes are right, and no plane of an old group arrives."""
    bench = await TermsBench(dut, stalls).start()
    for _ in range(parameters().get("resets", 25)):
        bench.send(8)
        await ClockCycles(dut.clk, bench.rng.randint(1, 30))
        await bench.reset(bench.rng.randint(1, 3))
        bench.send(bench.rng.randint(1, 3))
        if bench.rng.random() < 0.3:
            await bench.finish()
    await bench.finish()


@cocotb.test()
async def full_rate(dut):
    """Without stalls, a plane arrives in every cycle, even between groups, the first after the latency."""
    bench = await TermsBench(dut).start()
    bench.send(30)
    words = len(bench.source.words)
    await bench.finish()
    assert [y - x for x, y in pairwise(bench.taken)] == [bench.planes] * (words - 1)
    assert [y - x for x, y in pairwise(bench.received)] == [1] * (words * bench.planes - 1)
    began = bench.taken if bench.waterline else bench.offered
    assert bench.received[0] - began[0] == bench.sidecar["latency"]


@cocotb.test()
async def backpressure(dut):
    """When the sink stalls, the unit stalls its source and loses nothing."""
    bench = await TermsBench(dut).start()
    bench.send(60)
    await bench.check_backpressure(stall=60, fills=40, waits=30)
