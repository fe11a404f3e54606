"""The bench around the registers of an engine that has nothing to multiply."""

from collections.abc import Sequence
from typing import Any

from lowtide.engine.registers import BYTES
from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.environment import sidecar

__all__ = ["STALLS", "RegistersBench"]

STALLS = ["none", "half", "bursts"]


class RegistersBench(EngineBench):
    """Keeps account of what settings hold.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    stall : str
        How the bus is stalled: a name of `PAUSES`.
    """

    def __init__(self, dut: Any, stall: str = "none"):
        super().__init__(dut, (stall, "none", "none"))
        table = sidecar()["registers"]
        self.settings = {register["name"]: register for register in table if register["access"] == "setting"}
        self.constants = [register["name"] for register in table if register["access"] == "constant"]
        self.end = BYTES * len(table)  # the first address that is none
        self.end_of_bus = BYTES * 2 ** (len(table) - 1).bit_length()
        self.held = dict.fromkeys(self.settings, 0)

    async def write_any(self, names: Sequence[str]) -> None:
        """Write anything to one of these settings."""
        name = self.rng.choice(names)
        value = self.any_value(name)
        await self.write(name, value)
        self.held[name] = value % 2 ** self.settings[name]["bits"]

    def any_value(self, name: str) -> int:
        """Any word for a setting; for a threshold one that it holds, as another one is flagged."""
        return self.rng.getrandbits(self.settings[name]["bits"] if name.endswith("threshold") else 32)

    async def check(self, name: str) -> None:
        """A setting holds what was written to it."""
        value = await self.read(name)
        assert value == self.held[name], f"{name} is {value:#x}, not {self.held[name]:#x}"

    async def check_all(self) -> None:
        """All settings do, and no product was started."""
        for name in self.settings:
            await self.check(name)
        assert await self.read("errors") == 0
        assert await self.read("status") == 3
