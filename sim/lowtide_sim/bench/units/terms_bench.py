"""Bench of a unit for groups of digits: digit serializer or waterline."""

from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.terms import SerializerModel, WaterlineModel
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["TermsBench"]

MAX_PLANES = 9


class TermsBench(UnitBench):
    """Drives an emitted digit serializer or waterline, and checks every digit plane.

    For parameters, see `UnitBench`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        super().__init__(dut, stalls)
        self.waterline = self.sidecar["top"].startswith("waterline")
        self.model = (WaterlineModel if self.waterline else SerializerModel)(self.sidecar, self.due.append)
        self.planes = self.sidecar["parameters"].get("digits", 1)  # per input word
        self.dropped = 0  # planes of which the waterline dropped digits

    def initialize(self) -> None:
        """Set random settings."""
        if self.waterline:
            self._draw_settings()

    def watch(self) -> None:
        """For a waterline, drive random settings; for a serializer, observe offered groups."""
        cocotb.start_soon(self._change_settings() if self.waterline else self.watch_offers())

    def send(self, groups: int) -> None:
        """Queue groups with few or many terms; for a waterline, with a random number of planes."""
        for _ in range(groups):
            words = [self._digits() for _ in range(self.rng.randint(1, MAX_PLANES) if self.waterline else 1)]
            if self.waterline:
                marks = 2 * self.model.lanes
                words = [word | (n == 0) << marks | (n == len(words) - 1) << marks + 1 for n, word in enumerate(words)]
            self.source.send([(word, False) for word in words])

    def forget(self) -> None:
        """Discard all expected planes."""
        self.model.forget()
        super().forget()

    def saw_offer(self, data: int) -> None:
        """Report a group that was offered to a serializer."""
        if isinstance(self.model, SerializerModel):
            self.model.saw(data)

    def saw_input(self, edge: int, data: int) -> None:
        """Report a plane that a waterline accepted."""
        if isinstance(self.model, WaterlineModel):
            self.model.saw(data, int(self.dut.budget.value), int(self.dut.group.value))
            self.dropped += self.due[-1] != data

    def saw_output(self, edge: int, data: int) -> None:
        """Compare a plane with the next expected plane."""
        due: int = self.next_due(edge, "digit plane")
        if data != due:
            raise AssertionError(f"edge {edge}, digit plane {len(self.received)}: {data:#x}, not {due:#x}")

    def _digits(self) -> int:
        """Digits of random density, with random signs."""
        count = self.model.lanes * (1 if self.waterline else self.planes)
        density = self.rng.choice((0.1, 0.4, 0.9))
        ones = sum((self.rng.random() < density) << n for n in range(count))
        return ones | self.rng.getrandbits(count) << count

    def _draw_settings(self) -> None:
        for name, port in (("budget", self.dut.budget), ("group", self.dut.group)):
            most = self.sidecar["parameters"][name]
            port.value = self.rng.choice((most, self.rng.randint(0, most)))

    async def _change_settings(self) -> None:
        """Change the settings in every cycle; a group uses the settings of its first plane."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self._draw_settings()
