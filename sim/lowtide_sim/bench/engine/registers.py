"""cocotb tests of an engine's registers on a standard bus."""

import cocotb

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.engine.registers_bench import STALLS, RegistersBench
from lowtide_sim.bench.environment import parameters


@cocotb.test()
@cocotb.parametrize(stall=STALLS)
async def settings_hold_what_is_written(dut, stall):
    """Settings return the value written last, in any order of accesses; writes do not change constants."""
    bench = await RegistersBench(dut, stall).start()
    names = list(bench.settings)
    constants = {name: await bench.read(name) for name in bench.constants}
    assert constants["rows"] == bench.config.array.rows
    for _ in range(parameters().get("accesses", 100)):
        await bench.write_any(names)
        await bench.check(bench.rng.choice(names))
        constant = bench.rng.choice(bench.constants)
        await bench.write(constant, bench.rng.getrandbits(32))
        assert await bench.read(constant) == constants[constant]
    await bench.check_all()


@cocotb.test()
@cocotb.parametrize(stall=STALLS)
async def what_is_refused_has_no_effect(dut, stall):
    """Accesses beyond the last register and partial writes are rejected; legal accesses between them succeed."""
    bench = await RegistersBench(dut, stall).start()
    registers, names = bench.registers, list(bench.settings)
    for address in range(bench.end, bench.end_of_bus, BYTES):
        assert await registers.write(address, bench.rng.getrandbits(32))
        assert (await registers.read(address))[1]
        await bench.write_any(names)
    for strobes in range(1, 15):
        for name in ("start", bench.rng.choice(names)):
            assert await registers.write_bytes(bench.addresses[name], bench.rng.getrandbits(32), strobes)
        await bench.write_any(names)
    await bench.check_all()
    await bench.write("a_vectors", 0)
    await bench.write("start", 3)  # the engine rejects this product
    await bench.poll("errors", 1)
