"""What benches of units between two streams have in common: clock, reset, drivers, and waiting for what is due."""

import random
from typing import Any, TypeVar

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.streams.axi_stream import PERIOD, Monitor, Sink, Source, Stream
from lowtide_sim.bench.streams.pause import PAUSES
from lowtide_sim.bench.streams.payload_stream import PayloadStream

__all__ = ["UnitBench"]

AnyBench = TypeVar("AnyBench", bound="UnitBench")


class UnitBench:
    """Drives an emitted unit, stalls both of its streams, and tells what it sees of them.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        How its input and its output are stalled: names of `PAUSES`.
    i : Stream, optional
        Its input; by default that called ``i``.

    Attributes
    ----------
    offered, taken, came : list of int
        Edges at which words were first offered, if that is seen, at which they were taken, and at which they came.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none"), i: Stream | None = None):
        self.dut, self.sidecar = dut, sidecar()
        self.rng = random.Random(random.getrandbits(64))
        self.offered: list[int] = []
        self.taken: list[int] = []
        self.came: list[int] = []

        self.i, o = i or PayloadStream(dut, "i"), PayloadStream(dut, "o")
        self.source, self.sink = Source(self.i, self.rng), Sink(o)
        for part, name in ((self.source, stalls[0]), (self.sink, stalls[1])):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        self.monitors = Monitor(self.i, self._saw_input), Monitor(o, self._saw_output)

    async def start(self: AnyBench) -> AnyBench:
        """Start the clock, reset, and go."""
        Clock(self.dut.clk, PERIOD, "ns").start()
        self.dut.rst.value = 1
        self.rest()
        for part in (*self.monitors, self.source, self.sink):
            cocotb.start_soon(part.run())
        self.watch()
        await ClockCycles(self.dut.clk, 3)
        await self.reset()
        return self

    async def reset(self, cycles: int = 1) -> None:
        """Hold reset for some cycles. All that is queued, in flight or due is gone."""
        self.dut.rst.value = 1
        self.source.clear()
        await ClockCycles(self.dut.clk, cycles)
        self.forget()
        self.dut.rst.value = 0

    async def finish(self) -> None:
        """Wait until all that was sent has been answered, and check that no more comes.

        Raises
        ------
        AssertionError
            If answers are missing.
        """
        edge, waited, seen = RisingEdge(self.dut.clk), 0, -1
        while self.source.words or self.source.offered or self.missing:
            await edge
            progress = len(self.offered) + len(self.taken) + len(self.came)
            waited, seen = (waited + 1, seen) if progress == seen else (0, progress)
            if waited > 1000:
                raise AssertionError(f"nothing moves; {self.missing} answers are due")
        await ClockCycles(self.dut.clk, 2 * self.sidecar["latency"] + 12)

    def rest(self) -> None:
        """Give all inputs beside the streams a value."""

    def watch(self) -> None:
        """Start what else is to run."""

    @property
    def missing(self) -> int:
        """How many answers are due."""
        raise NotImplementedError

    def forget(self) -> None:
        """Nothing is due any more, after a reset."""
        raise NotImplementedError

    def saw_input(self, edge: int, data: int) -> None:
        """A word was taken."""
        raise NotImplementedError

    def saw_output(self, edge: int, data: int) -> None:
        """A word came, which must be the next one due."""
        raise NotImplementedError

    def _saw_input(self, edge: int, data: int, _last: bool) -> None:
        self.taken.append(edge)
        self.saw_input(edge, data)

    def _saw_output(self, edge: int, data: int, _last: bool) -> None:
        self.came.append(edge)
        self.saw_output(edge, data)
