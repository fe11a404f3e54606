"""Registers on Wishbone, in cocotb."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

from cocotb.triggers import RisingEdge

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["WishboneRegisters"]

PATIENCE = 10


class WishboneRegisters:
    """Reads and writes registers by classic cycles, with pauses between them.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    """

    def __init__(self, dut: Any):
        self.dut, self.edge = dut, RisingEdge(dut.clk)
        self.pauses: Pauses = repeat(False)
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 0

    def stall(self, pauses: Callable[[], Pauses]) -> None:
        """Pause between accesses."""
        self.pauses = pauses()

    async def write(self, address: int, value: int) -> bool:
        """Write a register; whether that was refused."""
        return await self.write_bytes(address, value, 15)

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; what it holds, and whether that was refused."""
        refused = await self._access(address, 0, 0, 15)
        return self.dut.wb_dat_o.value.to_unsigned(), refused

    async def write_bytes(self, address: int, value: int, strobes: int) -> bool:
        """Write some bytes of a register; whether that was refused."""
        return await self._access(address, 1, value, strobes)

    async def read_at(self, address: int) -> bool:
        """Read at any address; whether that was refused."""
        return (await self.read(address))[1]

    async def _access(self, address: int, writes: int, value: int, strobes: int) -> bool:
        """Begin an access, and wait for its answer."""
        dut = self.dut
        while next(self.pauses):
            await self.edge
        dut.wb_adr_i.value, dut.wb_we_i.value = address // BYTES, writes
        dut.wb_dat_i.value, dut.wb_sel_i.value = value, strobes
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 1
        for _ in range(PATIENCE):
            await self.edge
            done, refused = int(dut.wb_ack_o.value), int(dut.wb_err_o.value)
            if done or refused:
                dut.wb_cyc_i.value = dut.wb_stb_i.value = 0
                assert done != refused
                return bool(refused)
        raise AssertionError("an access was not answered")
