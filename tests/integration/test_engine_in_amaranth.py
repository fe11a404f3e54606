"""An engine on a bus also works as an Amaranth component."""

from amaranth.sim import Simulator

from lowtide.config import Config
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.registers import IDENTITIES

SMALL = {"array.rows": 1, "array.columns": 2, "bfp.lanes": 4, "bfp.max_k": 64}
SMALL |= {"engine.output_width": 1, "engine.buffer_depth": 64, "engine.transpose_depth": 64}


def test_registers_over_wishbone():
    dut = AxiStreamEngine(Config().changed(SMALL), bus="wishbone")
    places = {register.name: place for place, register in enumerate(dut.registers)}

    async def access(ctx, name, value=None):
        ctx.set(dut.wb_adr_i, places[name])
        ctx.set(dut.wb_we_i, value is not None)
        ctx.set(dut.wb_dat_i, value or 0)
        ctx.set(dut.wb_sel_i, 15)
        ctx.set(dut.wb_cyc_i, 1)
        ctx.set(dut.wb_stb_i, 1)
        (read,) = await ctx.tick().sample(dut.wb_dat_o).until(dut.wb_ack_o)
        ctx.set(dut.wb_stb_i, 0)
        return read

    async def bench(ctx):
        assert await access(ctx, "identity") == IDENTITIES["fmac"]
        await access(ctx, "a_length", 17)
        assert await access(ctx, "a_length") == 17
        assert await access(ctx, "status") == 3

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
