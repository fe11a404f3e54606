"""The bench around a normaliser, of single accumulators or of rows: drivers, monitors, model and checker."""

from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.axi_stream import ONE, now
from lowtide_sim.bench.normaliser_model import Beat, NormaliserModel
from lowtide_sim.bench.scaled_stream import SCALE, ScaledStream
from lowtide_sim.bench.unit_bench import UnitBench

__all__ = ["NormaliserBench"]


class NormaliserBench(UnitBench):
    """Drives an emitted normaliser, and checks all that it does.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        How its input and its output are stalled: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        super().__init__(dut, stalls, ScaledStream(dut, "i"))
        self.due: deque[Beat] = deque()
        self.model = NormaliserModel(self.sidecar, self.due.append)
        self.row = self.model.row
        self.beats = self.model.columns // self.model.lanes
        self.overflows = self.underflows = 0  # since a reset or a clear
        self.left_range = 0  # of both kinds, since the beginning

    def rest(self) -> None:
        """Clear nothing."""
        if self.row:
            self.dut.clear.value = 0

    def watch(self) -> None:
        """Watch for words as they are offered."""
        cocotb.start_soon(self._watch_offers())

    def send(self, words: int) -> None:
        """Queue rows or accumulators of all sizes, each with a scale of its own, many at the ends of the range."""
        self.source.send([(self._word(), False) for _ in range(words)])

    @property
    def missing(self) -> int:
        """Beats that are due."""
        return len(self.due)

    def forget(self) -> None:
        """Nothing is due any more, and counts are zero."""
        self.due.clear()
        self.overflows = self.underflows = 0

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
        await super().finish()
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

    def saw_input(self, edge: int, data: int) -> None:
        """A word was taken; the model had it when it was offered."""

    def saw_output(self, edge: int, data: int) -> None:
        """A beat came."""
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
