"""The bench around a unit that handles groups of digits: a serializer, or a waterline."""

from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.terms import SerializerModel, WaterlineModel
from lowtide_sim.bench.streams.axi_stream import ONE, now
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["TermsBench"]

MOST_LINES = 9


class TermsBench(UnitBench):
    """Drives an emitted digit serializer or waterline, and checks every line that it gives.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        How its input and its output are stalled: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        super().__init__(dut, stalls)
        self.due: deque[int] = deque()
        self.waterline = self.sidecar["top"].startswith("waterline")
        self.model = (WaterlineModel if self.waterline else SerializerModel)(self.sidecar, self.due.append)
        self.lines = self.sidecar["parameters"].get("digits", 1)  # that a word becomes
        self.dropped = 0  # lines that were not kept whole

    def rest(self) -> None:
        """Any settings."""
        if self.waterline:
            self._draw_settings()

    def watch(self) -> None:
        """Of a waterline, draw settings; of a serializer, watch for groups as they are offered."""
        cocotb.start_soon(self._change_settings() if self.waterline else self._watch_offers())

    def send(self, groups: int) -> None:
        """Queue groups, of few terms or many; those of a waterline have any number of lines."""
        for _ in range(groups):
            words = [self._line() for _ in range(self.rng.randint(1, MOST_LINES) if self.waterline else 1)]
            if self.waterline:
                marks = 2 * self.model.lanes
                words = [word | (n == 0) << marks | (n == len(words) - 1) << marks + 1 for n, word in enumerate(words)]
            self.source.send([(word, False) for word in words])

    @property
    def missing(self) -> int:
        """Lines that are due."""
        return len(self.due)

    def forget(self) -> None:
        """Nothing is due any more."""
        self.model.forget()
        self.due.clear()

    def saw_input(self, edge: int, data: int) -> None:
        """A line was taken by a waterline. A serializer's model had the group when it was offered."""
        if isinstance(self.model, WaterlineModel):
            self.model.saw(data, int(self.dut.budget.value), int(self.dut.group.value))
            self.dropped += self.due[-1] != data

    def saw_output(self, edge: int, data: int) -> None:
        """A line came."""
        if not self.due:
            raise AssertionError(f"edge {edge}: a line came that nothing is due for")
        due = self.due.popleft()
        if data != due:
            raise AssertionError(f"edge {edge}, line {len(self.came)}: {data:#x}, not {due:#x}")

    def _line(self) -> int:
        """Digits of random density, and any signs."""
        count = self.model.lanes * (1 if self.waterline else self.lines)
        density = self.rng.choice((0.1, 0.4, 0.9))
        ones = sum((self.rng.random() < density) << n for n in range(count))
        return ones | self.rng.getrandbits(count) << count

    def _draw_settings(self) -> None:
        for name, port in (("budget", self.dut.budget), ("group", self.dut.group)):
            most = self.sidecar["parameters"][name]
            port.value = self.rng.choice((most, self.rng.randint(0, most)))

    async def _change_settings(self) -> None:
        """Other settings in every cycle: those of a group are the ones at its first line."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self._draw_settings()

    async def _watch_offers(self) -> None:
        """Tell the model of each group as soon as it is offered: lines come before it is taken."""
        edge, offered = RisingEdge(self.dut.clk), False
        while True:
            await edge
            if self.dut.rst.value == ONE:
                offered = False
            elif self.i.valid.value == ONE:
                if not offered and isinstance(self.model, SerializerModel):
                    self.offered.append(now())
                    self.model.saw(self.i.data.value.to_unsigned())
                offered = self.i.ready.value != ONE
