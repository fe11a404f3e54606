"""Registers on AXI4-Lite, in cocotb: the manager is that of cocotbext-axi, which knows nothing of lowtide."""

from collections.abc import Awaitable, Callable
from typing import Any

from cocotb.triggers import SimTimeoutError, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from cocotbext.axi.axil_channels import AxiLiteARTransaction, AxiLiteAWTransaction, AxiLiteWTransaction

from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["AxiLiteRegisters"]

PATIENCE = 10_000  # ns


class AxiLiteRegisters:
    """Reads and writes registers.

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
        """Let each of the channels pause by itself."""
        for channel in (self.aw, self.w, self.b, self.ar, self.r):
            channel.set_pause_generator(pauses())

    async def write(self, address: int, value: int) -> bool:
        """Write a register; whether that was refused."""
        return refused((await answer(self.manager.write(address, value.to_bytes(4, "little")))).resp)

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; what it holds, and whether that was refused."""
        read = await answer(self.manager.read(address, 4))
        return int.from_bytes(read.data, "little"), refused(read.resp)

    async def write_bytes(self, address: int, value: int, strobes: int) -> bool:
        """Write any bytes at any address, which the manager would take apart; whether that was refused."""
        await self.aw.send(AxiLiteAWTransaction(awaddr=address))
        await self.w.send(AxiLiteWTransaction(wdata=value, wstrb=strobes))
        return refused((await answer(self.b.recv())).bresp)

    async def read_at(self, address: int) -> bool:
        """Read at any address; whether that was refused."""
        await self.ar.send(AxiLiteARTransaction(araddr=address))
        return refused((await answer(self.r.recv())).rresp)


async def answer(access: Awaitable[Any]) -> Any:
    """What an access is answered; the drivers themselves would wait for ever."""
    try:
        return await with_timeout(access, PATIENCE, "ns")
    except SimTimeoutError:
        raise AssertionError("an access was not answered") from None


def refused(response: Any) -> bool:
    """Whether a response is SLVERR and not OKAY, besides which there should be none."""
    return {AxiResp.OKAY: False, AxiResp.SLVERR: True}[AxiResp(int(response))]
