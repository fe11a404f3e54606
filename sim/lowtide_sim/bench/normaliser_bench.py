"""The bench around a normaliser, of single accumulators or of rows: drivers, monitors, model and checker."""

import random
from collections import deque
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.axi_stream import ONE, PERIOD, Monitor, Sink, Source, now
from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.normaliser_model import Beat, NormaliserModel
from lowtide_sim.bench.pause import PAUSES
from lowtide_sim.bench.payload_stream import PayloadStream
from lowtide_sim.bench.scaled_stream import SCALE, ScaledStream

__all__ = ["NormaliserBench"]


class NormaliserBench:
    """Drives an emitted normaliser, and checks all that it does.

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
        self.model = NormaliserModel(self.sidecar, self.due.append)
        self.row = self.model.row
        self.beats = self.model.columns // self.model.lanes
        self.offered: list[int] = []  # edges at which words were first offered
        self.taken: list[int] = []  # edges at which they were taken
        self.came: list[int] = []  # edges at which beats came
        self.overflows = self.underflows = 0  # since a reset or a clear
        self.left_range = 0  # of both kinds, since the beginning

        self.i, o = ScaledStream(dut, "i"), PayloadStream(dut, "o")
        self.source, self.sink = Source(self.i, self.rng), Sink(o)
        for part, name in ((self.source, stalls[0]), (self.sink, stalls[1])):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        self.monitors = Monitor(self.i, self._saw_input), Monitor(o, self._saw_output)

    async def start(self) -> "NormaliserBench":
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
        """Queue rows or accumulators of all sizes, each with a scale of its own, many at the ends of the range."""
        self.source.send([(self._word(), False) for _ in range(words)])

    async def reset(self, cycles: int = 1) -> None:
        """Hold reset for some cycles. All that is queued, in flight or due is gone, and counts are zero."""
        self.dut.rst.value = 1
        self.source.clear()
        await ClockCycles(self.dut.clk, cycles)
        self.due.clear()
        self.overflows = self.underflows = 0
        self.dut.rst.value = 0

    async def clear(self) -> None:
        """Clear the counters, when nothing is on its way to them."""
        self.dut.clear.value = 1
        await ClockCycles(self.dut.clk, 1)
        self.dut.clear.value = 0
        self.overflows = self.underflows = 0

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
            counts = int(self.dut.overflows.value), int(self.dut.underflows.value)
            due = min(self.overflows, largest), min(self.underflows, largest)
            if counts != due:
                raise AssertionError(f"edge {now()}: overflows and underflows are {counts}, not {due}")

    def _word(self) -> int:
        columns, width = self.model.columns, self.model.width
        accs = [self._accumulator() for _ in range(columns)]
        at_an_end = self.rng.choice((128, -125)) - self.rng.choice(accs).bit_length() + self.rng.randint(-2, 2)
        scale = self.rng.choice((at_an_end, at_an_end, self.rng.randint(-40, 40), self.rng.randint(-512, 511)))
        row = sum((acc & (1 << width) - 1) << column * width for column, acc in enumerate(accs))
        last = self.rng.getrandbits(1) << columns * width
        return (scale & (1 << SCALE) - 1) << columns * width + 1 | last | row

    def _accumulator(self) -> int:
        """An integer of any size, at times a tie, a power of two or next to one, or the end of the range."""
        top = self.model.width - 1
        size = self.rng.randint(0, top)
        number = self.rng.getrandbits(size) if size else 0
        kind, below = self.rng.random(), max(size - 25, 0)
        if kind < 0.4:
            tie = (number >> below | 1) << below
            number = (tie if kind < 0.2 else 1 << size) + self.rng.choice((-1, 0, 1))
        return max(-(1 << top), min(self.rng.choice((1, -1)) * number, (1 << top) - 1))

    def _saw_input(self, edge: int, _data: int, _last: bool) -> None:
        self.taken.append(edge)

    def _saw_output(self, edge: int, data: int, _last: bool) -> None:
        self.came.append(edge)
        if not self.due:
            raise AssertionError(f"edge {edge}: a number came that nothing is due for")
        due = self.due.popleft()
        self.overflows, self.underflows = self.overflows + due.overflows, self.underflows + due.underflows
        self.left_range += due.overflows + due.underflows
        flags = [] if self.row else [int(self.dut.overflow.value), int(self.dut.underflow.value)]
        if [data, *flags] != [due.payload, due.overflows, due.underflows][: 1 + len(flags)]:
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
                    self.model.saw(self.dut.i__payload.value.to_unsigned(), self.dut.scale.value.to_signed())
                offered = self.i.ready.value != ONE
