"""cocotb test of an array after power-up: one cycle of reset, some idle cycles, then tiles."""

import cocotb
from cocotb.triggers import ClockCycles
from power_up_cases import IDLES
from power_up_outputs import check_outputs

from lowtide_sim.bench.array.bench import ArrayBench


@cocotb.test()
@cocotb.parametrize(idle=IDLES)
async def first_tiles(dut, idle):
    """No output is unknown, and every result is right."""
    array = getattr(dut, f"idle_{idle}")
    bench = await ArrayBench(array).start(reset=1)
    await ClockCycles(array.clk, idle)
    for _ in range(2):
        bench.send(bench.tiles.random())
    await bench.finish()
    check_outputs(array, bench.sidecar)
