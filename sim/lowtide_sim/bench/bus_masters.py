"""Bus masters for registers, in cocotb: plain bus, AXI4-Lite and Wishbone."""

from collections.abc import Awaitable, Callable
from itertools import repeat
from typing import Any

from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from cocotbext.axi.axil_channels import AxiLiteARTransaction, AxiLiteAWTransaction, AxiLiteWTransaction

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["AxiLiteRegisters", "PlainRegisters", "WishboneRegisters"]


class PlainRegisters:
    """Reads and writes registers on the plain bus, which neither stalls nor rejects accesses.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    """

    def __init__(self, dut: Any):
        self.dut = dut
        dut.write.value, dut.address.value = 0, 0

    def stall(self, pauses: Callable[[], Pauses]) -> None:
        """Do nothing: the plain bus cannot stall."""

    async def write(self, address: int, value: int) -> bool:
        """Write a register; return whether the access was rejected."""
        self.dut.address.value, self.dut.write_data.value = address // BYTES, value
        self.dut.write.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.write.value = 0
        return False

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; return its value, and whether the access was rejected."""
        self.dut.address.value = address // BYTES
        await ClockCycles(self.dut.clk, 2)
        return self.dut.read_data.value.to_unsigned(), False


AXI_LITE_TIMEOUT = 10_000  # ns


class AxiLiteRegisters:
    """Reads and writes registers on AXI4-Lite, with the manager of cocotbext-axi.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    """

    def __init__(self, dut: Any):
        self.manager = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
        writes, reads = self.manager.write_if, self.manager.read_if
        self.aw, self.w, self.b = writes.aw_channel, writes.w_channel, writes.b_channel
        self.ar, self.r = reads.ar_channel, reads.r_channel

    def stall(self, pauses: Callable[[], Pauses]) -> None:
        """Pause each channel independently."""
        for channel in (self.aw, self.w, self.b, self.ar, self.r):
            channel.set_pause_generator(pauses())

    async def write(self, address: int, value: int) -> bool:
        """Write a register; return whether the access was rejected."""
        return refused((await answer(self.manager.write(address, value.to_bytes(4, "little")))).resp)

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; return its value, and whether the access was rejected."""
        read = await answer(self.manager.read(address, 4))
        return int.from_bytes(read.data, "little"), refused(read.resp)

    async def write_bytes(self, address: int, value: int, strobes: int) -> bool:
        """Write bytes at any address in one beat, which the manager would split; return whether it was rejected."""
        await self.aw.send(AxiLiteAWTransaction(awaddr=address))
        await self.w.send(AxiLiteWTransaction(wdata=value, wstrb=strobes))
        return refused((await answer(self.b.recv())).bresp)

    async def read_at(self, address: int) -> bool:
        """Read at any address; return whether the access was rejected."""
        await self.ar.send(AxiLiteARTransaction(araddr=address))
        return refused((await answer(self.r.recv())).rresp)


async def answer(access: Awaitable[Any]) -> Any:
    """Response to an access, with a timeout; the drivers of cocotbext-axi have none."""
    try:
        return await with_timeout(access, AXI_LITE_TIMEOUT, "ns")
    except SimTimeoutError:
        raise AssertionError(f"no response to an access within {AXI_LITE_TIMEOUT} ns") from None


def refused(response: Any) -> bool:
    """Whether a response is SLVERR; any response but SLVERR and OKAY is an error."""
    return {AxiResp.OKAY: False, AxiResp.SLVERR: True}[AxiResp(int(response))]


WISHBONE_TIMEOUT = 10


class WishboneRegisters:
    """Reads and writes registers by classic Wishbone cycles, with pauses between them.

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
        """Write a register; return whether the access was rejected."""
        return await self.write_bytes(address, value, 15)

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; return its value, and whether the access was rejected."""
        refused = await self._access(address, 0, 0, 15)
        return self.dut.wb_dat_o.value.to_unsigned(), refused

    async def write_bytes(self, address: int, value: int, strobes: int) -> bool:
        """Write some bytes of a register; return whether the access was rejected."""
        return await self._access(address, 1, value, strobes)

    async def read_at(self, address: int) -> bool:
        """Read at any address; return whether the access was rejected."""
        return (await self.read(address))[1]

    async def _access(self, address: int, writes: int, value: int, strobes: int) -> bool:
        """Start an access, and wait for its response."""
        dut = self.dut
        while next(self.pauses):
            await self.edge
        dut.wb_adr_i.value, dut.wb_we_i.value = address // BYTES, writes
        dut.wb_dat_i.value, dut.wb_sel_i.value = value, strobes
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 1
        for _ in range(WISHBONE_TIMEOUT):
            await self.edge
            done, refused = int(dut.wb_ack_o.value), int(dut.wb_err_o.value)
            if done or refused:
                dut.wb_cyc_i.value = dut.wb_stb_i.value = 0
                assert done != refused
                return bool(refused)
        raise AssertionError(f"no response to an access within {WISHBONE_TIMEOUT} cycles")
