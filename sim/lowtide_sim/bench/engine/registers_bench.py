"""Bench of an engine's registers, without products."""

from collections.abc import Sequence
from typing import Any

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.environment import sidecar

__all__ = ["STALLS", "RegistersBench"]

STALLS = ["none", "half", "bursts"]


class RegistersBench(EngineBench):
    """Records the written values of settings, and compares them with reads.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    stall : str
        Stalls of the bus: a name of `PAUSES`.
    """

    def __init__(self, dut: Any, stall: str = "none"):
        super().__init__(dut, (stall, "none", "none"))
        table = sidecar()["registers"]
        self.settings = {register["name"]: register for register in table if register["access"] == "setting"}
        self.constants = [register["name"] for register in table if register["access"] == "constant"]
        self.end = BYTES * len(table)  # first address beyond the registers
        self.end_of_bus = BYTES * 2 ** (len(table) - 1).bit_length()
        self.written = dict.fromkeys(self.settings, 0)

    async def write_any(self, names: Sequence[str]) -> None:
        """Write a random value to one of ``names``."""
        name = self.rng.choice(names)
        value = self.any_value(name)
        await self.write(name, value)
        self.written[name] = value % 2 ** self.settings[name]["bits"]

    def any_value(self, name: str) -> int:
        """A random word for a setting; for a threshold, a legal one, because others raise an error."""
        return self.rng.getrandbits(self.settings[name]["bits"] if name.endswith("threshold") else 32)

    async def check(self, name: str) -> None:
        """Check that a setting has the value that was written last."""
        value = await self.read(name)
        assert value == self.written[name], f"{name} is {value:#x}, not {self.written[name]:#x}"

    async def check_all(self) -> None:
        """Check all settings, and that no product was started."""
        for name in self.settings:
            await self.check(name)
        assert await self.read("errors") == 0
        assert await self.read("status") == 3
