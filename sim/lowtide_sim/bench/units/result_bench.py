"""Bench of a unit behind the array, a normalizer or requantizer, for single results or for rows."""

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.models.results import kind_of
from lowtide_sim.bench.stimulus.fields import Beat
from lowtide_sim.bench.streams.axi_stream import now
from lowtide_sim.bench.streams.unit_streams import SettingStream
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["ResultBench"]


class ResultBench(UnitBench):
    """Drives an emitted unit of a `ResultKind`, and checks all its outputs.

    For parameters, see `UnitBench`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        self.kind = kind_of(sidecar())
        self.settings = SettingStream(dut, "i", self.kind.settings)
        super().__init__(dut, stalls, self.settings)
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
        cocotb.start_soon(self.watch_offers())

    def send(self, words: int) -> None:
        """Queue rows or accumulators, each with its own settings."""
        self.source.send([(self._word(), False) for _ in range(words)])

    def forget(self) -> None:
        """Discard all expected beats, and clear the counts."""
        super().forget()
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

    def saw_offer(self, data: int) -> None:
        """Report an offered word and its settings to the model."""
        settings = (int(port.value) for port in self.settings.settings)
        self.due.extend(self.model.beats(self.settings.payload.value.to_unsigned(), *settings))

    def saw_output(self, edge: int, data: int) -> None:
        """Compare a beat with the next expected beat."""
        due: Beat = self.next_due(edge, "beat")
        self.counts = [count + events for count, events in zip(self.counts, due.events, strict=True)]
        self.counted += sum(due.events)
        flags = due.events if self.row else tuple(int(getattr(self.dut, name).value) for name in self.kind.flags)
        if (data, flags) != (due.payload, due.events):
            raise AssertionError(f"edge {edge}, beat {len(self.received)}: {data:#x}, {flags}, not {due}")
