"""cocotb tests of an engine with cocotbext-axi on every port."""

import cocotb

from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.engine.data import follow_each_other, reset_at_moments
from lowtide_sim.bench.streams.cocotbext_streams import COCOTBEXT_STREAMS


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "bursts"), ("light", "heavy", "half")])
async def products_by_other_drivers(dut, stalls):
    """Every bit of every result is right."""
    await follow_each_other(await EngineBench(dut, stalls, COCOTBEXT_STREAMS).start())


@cocotb.test()
async def resets_by_other_drivers(dut):
    """After a reset, the next product is right, and no result of the old product arrives."""
    await reset_at_moments(await EngineBench(dut, ("light", "light", "light"), COCOTBEXT_STREAMS).start())
