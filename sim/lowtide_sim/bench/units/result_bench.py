"""Bench of a unit behind the array, a normalizer or requantizer, for single results or for rows."""

from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.models.results import kind_of
from lowtide_sim.bench.stimulus.fields import Beat
from lowtide_sim.bench.streams.axi_stream import ONE, now
from lowtide_sim.bench.streams.unit_streams import SettingStream
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["ResultBench"]


class ResultBench(UnitBench):
    """Drives an emitted unit of a `ResultKind`, and checks all its outputs.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        Stalls of the input and of the output: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        self.kind = kind_of(sidecar())
        self.settings = SettingStream(dut, "i", self.kind.settings)
        super().__init__(dut, stalls, self.settings)
        self.due: deque[Beat] = deque()
        self.model = self.kind.model(self.sidecar)
        self.row = self.model.row
        self.beats = self.model.columns // self.model.lanes
        self.counts = [0] * len(self.kind.counts)  # since a reset or a clear
        self.counted = 0  # events of all kinds, since the start

    def initialize(self) -> None:
        """Set ``clear`` low."""
        if self.row:
            self.dut.clear.value = 0

    def watch(self) -> None:
        """Observe offered words."""
        cocotb.start_soon(self._watch_offers())

    def send(self, words: int) -> None:
        """Queue rows or accumulators, each with its own settings."""
        self.source.send([(self._word(), False) for _ in range(words)])

    @property
    def missing(self) -> int:
        """Number of expected beats."""
        return len(self.due)

    def forget(self) -> None:
        """Discard all expected beats, and clear the counts."""
        self.due.clear()
        self.counts = [0] * len(self.counts)

    async def clear(self) -> None:
        """Clear the counters, while the unit is idle."""
        self.dut.clear.value = 1
        await ClockCycles(self.dut.clk, 1)
        self.dut.clear.value = 0
        self.counts = [0] * len(self.counts)

    async def finish(self) -> None:
        """Wait for all expected beats, check that no further beats arrive, and check the counts.

        Raises
        ------
        AssertionError
            If beats are missing, or a count is wrong.
        """
        await super().finish()
        if self.row:
            largest = (1 << self.sidecar["parameters"]["counter_bits"]) - 1
            counts = [int(getattr(self.dut, name).value) for name in self.kind.counts]
            due = [min(count, largest) for count in self.counts]
            if counts != due:
                raise AssertionError(f"edge {now()}: {', '.join(self.kind.counts)} are {counts}, not {due}")

    def _word(self) -> int:
        payload, *settings = self.kind.word(self.model, self.rng)
        place = len(self.settings.payload)
        for port, setting in zip(self.settings.settings, settings, strict=True):
            payload |= (setting & (1 << len(port)) - 1) << place
            place += len(port)
        return payload

    def saw_input(self, edge: int, data: int) -> None:
        """Do nothing: the model got the word when it was offered."""

    def saw_output(self, edge: int, data: int) -> None:
        """Compare a beat with the next expected beat."""
        if not self.due:
            raise AssertionError(f"edge {edge}: unexpected beat: all expected beats have arrived")
        due = self.due.popleft()
        self.counts = [count + events for count, events in zip(self.counts, due.events, strict=True)]
        self.counted += sum(due.events)
        flags = due.events if self.row else tuple(int(getattr(self.dut, name).value) for name in self.kind.flags)
        if (data, flags) != (due.payload, due.events):
            raise AssertionError(f"edge {edge}, beat {len(self.received)}: {data:#x}, {flags}, not {due}")

    async def _watch_offers(self) -> None:
        """Report each word to the model when it is offered, because beats of a row may arrive before it is accepted."""
        edge, offered = RisingEdge(self.dut.clk), False
        while True:
            await edge
            if self.dut.rst.value == ONE:
                offered = False
            elif self.i.valid.value == ONE:
                if not offered:
                    self.offered.append(now())
                    settings = (int(port.value) for port in self.settings.settings)
                    self.due.extend(self.model.beats(self.settings.payload.value.to_unsigned(), *settings))
                offered = self.i.ready.value != ONE
