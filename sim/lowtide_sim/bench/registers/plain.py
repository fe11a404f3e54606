"""Registers on their plain bus, in cocotb."""

from collections.abc import Callable
from typing import Any

from cocotb.triggers import ClockCycles, RisingEdge

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["PlainRegisters"]


class PlainRegisters:
    """Reads and writes registers; nothing stalls, and nothing is refused.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    """

    def __init__(self, dut: Any):
        self.dut = dut
        dut.write.value, dut.address.value = 0, 0

    def stall(self, pauses: Callable[[], Pauses]) -> None:
        """There is nothing to stall."""

    async def write(self, address: int, value: int) -> bool:
        """Write a register; whether that was refused."""
        self.dut.address.value, self.dut.write_data.value = address // BYTES, value
        self.dut.write.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.write.value = 0
        return False

    async def read(self, address: int) -> tuple[int, bool]:
        """Read a register; what it holds, and whether that was refused."""
        self.dut.address.value = address // BYTES
        await ClockCycles(self.dut.clk, 2)
        return self.dut.read_data.value.to_unsigned(), False
