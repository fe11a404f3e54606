"""The bench around a unit behind the array, for single results or for rows: drivers, monitors, model and checker."""

import random
from collections import deque
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.axi_stream import ONE, PERIOD, Monitor, Sink, Source, now
from lowtide_sim.bench.beat import Beat
from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.pause import PAUSES
from lowtide_sim.bench.payload_stream import PayloadStream
from lowtide_sim.bench.result_kinds import kind_of
from lowtide_sim.bench.setting_stream import SettingStream

__all__ = ["ResultBench"]


class ResultBench:
    """Drives an emitted unit of one of the `ResultKind`s, and checks all that it does.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        How its input and its output are stalled: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        self.dut, self.sidecar = dut, sidecar()
        self.rng = random.Random(random.getrandbits(64))
        self.due: deque[Beat] = deque()
        self.kind = kind_of(self.sidecar)
        self.model = self.kind.model(self.sidecar)
        self.row = self.model.row
        self.beats = self.model.columns // self.model.lanes
        self.offered: list[int] = []  # edges at which words were first offered
        self.taken: list[int] = []  # edges at which they were taken
        self.came: list[int] = []  # edges at which beats came
        self.counts = [0] * len(self.kind.counts)  # since a reset or a clear
        self.counted = 0  # of all kinds, since the beginning

        self.i, o = SettingStream(dut, "i", self.kind.settings), PayloadStream(dut, "o")
        self.source, self.sink = Source(self.i, self.rng), Sink(o)
        for part, name in ((self.source, stalls[0]), (self.sink, stalls[1])):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        self.monitors = Monitor(self.i, self._saw_input), Monitor(o, self._saw_output)

    async def start(self) -> "ResultBench":
        """Start the clock, reset, and go."""
        Clock(self.dut.clk, PERIOD, "ns").start()
        self.dut.rst.value = 1
        if self.row:
            self.dut.clear.value = 0
        for part in (*self.monitors, self.source, self.sink):
            cocotb.start_soon(part.run())
        cocotb.start_soon(self._watch_offers())
        await ClockCycles(self.dut.clk, 3)
        await self.reset()
        return self

    def send(self, words: int) -> None:
        """Queue rows or accumulators, each with settings of its own."""
        self.source.send([(self._word(), False) for _ in range(words)])

    async def reset(self, cycles: int = 1) -> None:
        """Hold reset for some cycles. All that is queued, in flight or due is gone, and counts are zero."""
        self.dut.rst.value = 1
        self.source.clear()
        await ClockCycles(self.dut.clk, cycles)
        self.due.clear()
        self.counts = [0] * len(self.counts)
        self.dut.rst.value = 0

    async def clear(self) -> None:
        """Clear the counters, when nothing is on its way to them."""
        self.dut.clear.value = 1
        await ClockCycles(self.dut.clk, 1)
        self.dut.clear.value = 0
        self.counts = [0] * len(self.counts)

    async def finish(self) -> None:
        """Wait until all that was sent has been answered; check the counts, and that no more comes.

        Raises
        ------
        AssertionError
            If numbers are missing, or were counted wrongly.
        """
        edge, waited, seen = RisingEdge(self.dut.clk), 0, -1
        while self.source.words or self.source.offered or self.due:
            await edge
            progress = len(self.offered) + len(self.came)
            waited, seen = (waited + 1, seen) if progress == seen else (0, progress)
            if waited > 1000:
                raise AssertionError(f"nothing moves; {len(self.due)} beats are due")
        await ClockCycles(self.dut.clk, 2 * self.sidecar["latency"] + 12)
        if self.row:
            largest = (1 << self.sidecar["parameters"]["counter"]) - 1
            counts = [int(getattr(self.dut, name).value) for name in self.kind.counts]
            due = [min(count, largest) for count in self.counts]
            if counts != due:
                raise AssertionError(f"edge {now()}: {', '.join(self.kind.counts)} are {counts}, not {due}")

    def _word(self) -> int:
        payload, *settings = self.kind.word(self.model, self.rng)
        place = len(self.i.payload)
        for port, setting in zip(self.i.settings, settings, strict=True):
            payload |= (setting & (1 << len(port)) - 1) << place
            place += len(port)
        return payload

    def _saw_input(self, edge: int, _data: int, _last: bool) -> None:
        self.taken.append(edge)

    def _saw_output(self, edge: int, data: int, _last: bool) -> None:
        self.came.append(edge)
        if not self.due:
            raise AssertionError(f"edge {edge}: a number came that nothing is due for")
        due = self.due.popleft()
        self.counts = [count + events for count, events in zip(self.counts, due.events, strict=True)]
        self.counted += sum(due.events)
        flags = due.events if self.row else tuple(int(getattr(self.dut, name).value) for name in self.kind.flags)
        if (data, flags) != (due.payload, due.events):
            raise AssertionError(f"edge {edge}, beat {len(self.came)}: {data:#x}, {flags}, not {due}")

    async def _watch_offers(self) -> None:
        """Tell the model of each word as soon as it is offered: of a row, beats may come before it is taken."""
        edge, offered = RisingEdge(self.dut.clk), False
        while True:
            await edge
            if self.dut.rst.value == ONE:
                offered = False
            elif self.i.valid.value == ONE:
                if not offered:
                    self.offered.append(now())
                    settings = (int(port.value) for port in self.i.settings)
                    self.due.extend(self.model.beats(self.i.payload.value.to_unsigned(), *settings))
                offered = self.i.ready.value != ONE
