"""cocotb test of an engine after power-up: one cycle of reset, some idle cycles, then a product."""

import cocotb
from cocotb.triggers import ClockCycles
from power_up_cases import IDLES
from power_up_outputs import check_outputs

from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.environment import sidecar


@cocotb.test()
@cocotb.parametrize(idle=IDLES)
async def first_product(dut, idle):
    """No output is unknown, and every result is right."""
    engine = getattr(dut, f"idle_{idle}")
    bench = await EngineBench(engine).start(reset=1)
    await ClockCycles(engine.clk, idle)
    product = bench.random_product()
    await bench.begin(*product)
    await bench.finish(*product)
    check_outputs(engine, sidecar())


@cocotb.test()
async def registers_first(dut):
    """Reads of every register return known bits, before the first write and after a product."""
    bench = await EngineBench(dut.registers).start(reset=1)
    for _ in range(2):
        for name in bench.addresses:
            await bench.read(name)
        product = bench.random_product()
        await bench.begin(*product)
        await bench.finish(*product)
    check_outputs(dut.registers, sidecar())
