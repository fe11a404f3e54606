"""cocotb tests of an engine on AXI4-Lite."""

import cocotb
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.engine.registers_bench import STALLS, RegistersBench
from lowtide_sim.bench.environment import parameters


@cocotb.test()
@cocotb.parametrize(stall=STALLS)
async def addresses_between_registers(dut, stall):
    """Misaligned accesses are rejected without effect; a write without strobes is accepted without effect."""
    bench = await RegistersBench(dut, stall).start()
    registers, names = bench.registers, list(bench.settings)
    for offset in (1, 2, 3):
        for name in ("start", *names[:4]):
            at = bench.addresses[name] + offset
            assert await registers.write_bytes(at, bench.rng.getrandbits(32), bench.rng.choice((15, 15 << offset & 15)))
            assert await registers.read_at(at)
            assert not await registers.write_bytes(bench.addresses[name], bench.rng.getrandbits(32), 0)
            await bench.write_any(names)
    await bench.check_all()


@cocotb.test()
@cocotb.parametrize(stall=STALLS)
async def reads_and_writes_at_once(dut, stall):
    """Settings of A are written while settings of B are read."""
    bench = await RegistersBench(dut, stall).start()
    written, read = ([name for name in bench.settings if name.startswith(side)] for side in "ab")
    for _ in range(20):
        await bench.write_any(read)
    accesses = parameters().get("accesses", 100)

    async def write() -> None:
        for _ in range(accesses):
            await bench.write_any(written)

    writes = cocotb.start_soon(write())
    for _ in range(accesses):
        await bench.check(bench.rng.choice(read))
    await writes
    await bench.check_all()


@cocotb.test()
async def halves_of_a_write_in_either_order(dut):
    """The address precedes or follows the data by several cycles; the register changes only after both."""
    bench = await RegistersBench(dut).start()
    registers, names = bench.registers, list(bench.settings)
    registers.aw.clear_pause_generator()
    registers.w.clear_pause_generator()
    for n in range(parameters().get("accesses", 100)):
        second = registers.w if n % 2 else registers.aw
        second.pause = True
        name = bench.rng.choice(names)
        write = cocotb.start_soon(bench.write(name, value := bench.any_value(name)))
        for _ in range(bench.rng.randint(4, 9)):
            await RisingEdge(dut.clk)
        await bench.check(name)
        second.pause = False
        await write
        bench.written[name] = value % 2 ** bench.settings[name]["bits"]
        await bench.check(name)
    await bench.check_all()
