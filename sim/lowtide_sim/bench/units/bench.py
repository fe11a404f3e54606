"""Base of the benches of units with an input and an output stream."""

import random
from collections import deque
from typing import Any, TypeVar

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.streams.axi_stream import ONE, PERIOD, Monitor, Sink, Source, Stream, now
from lowtide_sim.bench.streams.pause import PAUSES
from lowtide_sim.bench.streams.unit_streams import PayloadStream

__all__ = ["UnitBench"]

AnyBench = TypeVar("AnyBench", bound="UnitBench")


class UnitBench:
    """Drives an emitted unit with stalls on both streams, and observes both.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        Stalls of the input and of the output: names of `PAUSES`.
    i : Stream, optional
        Input stream; by default, the stream ``i``.

    Attributes
    ----------
    due : deque
        Expected words that have not arrived.
    offered, taken, received : list of int
        Edges at which input words were first offered (in some benches), input words were accepted, and output words
        arrived.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none"), i: Stream | None = None):
        self.dut, self.sidecar = dut, sidecar()
        self.rng = random.Random(random.getrandbits(64))
        self.due: deque[Any] = deque()
        self.offered: list[int] = []
        self.taken: list[int] = []
        self.received: list[int] = []

        self.i, o = i or PayloadStream(dut, "i"), PayloadStream(dut, "o")
        self.source, self.sink = Source(self.i, self.rng), Sink(o)
        for part, name in ((self.source, stalls[0]), (self.sink, stalls[1])):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        self.monitors = Monitor(self.i, self._saw_input), Monitor(o, self._saw_output)

    async def start(self: AnyBench) -> AnyBench:
        """Start the clock, and apply reset."""
        Clock(self.dut.clk, PERIOD, "ns").start()
        self.dut.rst.value = 1
        self.initialize()
        for part in (*self.monitors, self.source, self.sink):
            cocotb.start_soon(part.run())
        self.watch()
        await ClockCycles(self.dut.clk, 3)
        await self.reset()
        return self

    async def reset(self, cycles: int = 1) -> None:
        """Apply reset for ``cycles`` cycles, which discards all queued, processed and expected words."""
        self.dut.rst.value = 1
        self.source.clear()
        await ClockCycles(self.dut.clk, cycles)
        self.forget()
        self.dut.rst.value = 0

    async def finish(self) -> None:
        """Wait for all expected words, and check that no further words arrive.

        Raises
        ------
        AssertionError
            If expected words are missing.
        """
        edge, waited, seen = RisingEdge(self.dut.clk), 0, -1
        while self.source.words or self.source.offered or self.missing:
            await edge
            progress = len(self.offered) + len(self.taken) + len(self.received)
            waited, seen = (waited + 1, seen) if progress == seen else (0, progress)
            if waited > 1000:
                raise AssertionError(f"no transfer for 1000 cycles: {self.missing} words are missing")
        await ClockCycles(self.dut.clk, 2 * self.sidecar["latency"] + 12)

    def initialize(self) -> None:
        """Set all inputs except the streams."""

    def watch(self) -> None:
        """Start further coroutines."""

    @property
    def missing(self) -> int:
        """Number of expected words that have not arrived."""
        return len(self.due)

    def forget(self) -> None:
        """Discard all expected words, after a reset."""
        self.due.clear()

    async def check_backpressure(self, stall: int, fills: int, waits: int) -> None:
        """Stall the sink for ``stall`` cycles from cycle 20 on: between two cycles of the stall, no word moves."""
        self.sink.pauses = iter([False] * 20 + [True] * stall + [False] * 10**6)
        await ClockCycles(self.dut.clk, fills)
        counts = len(self.taken), len(self.received)
        await ClockCycles(self.dut.clk, waits)
        assert (len(self.taken), len(self.received)) == counts, "words were accepted while the sink stalled"
        assert self.source.words, "the sink stalled too late for this test"
        await self.finish()

    def saw_offer(self, data: int) -> None:
        """Record an offered input word, in a bench that starts `watch_offers`."""

    def saw_input(self, edge: int, data: int) -> None:
        """Record an accepted input word."""

    def saw_output(self, edge: int, data: int) -> None:
        """Compare an output word with the next expected word."""
        raise NotImplementedError

    def next_due(self, edge: int, kind: str) -> Any:
        """Return the next expected word."""
        if not self.due:
            raise AssertionError(f"edge {edge}: unexpected {kind}: all expected {kind}s have arrived")
        return self.due.popleft()

    async def watch_offers(self) -> None:
        """Report each word when it is offered, because output words may arrive before it is accepted."""
        edge, offered = RisingEdge(self.dut.clk), False
        while True:
            await edge
            if self.dut.rst.value == ONE:
                offered = False
            elif self.i.valid.value == ONE:
                if not offered:
                    self.offered.append(now())
                    self.saw_offer(self.i.data.value.to_unsigned())
                offered = self.i.ready.value != ONE

    def _saw_input(self, edge: int, data: int, _last: bool) -> None:
        self.taken.append(edge)
        self.saw_input(edge, data)

    def _saw_output(self, edge: int, data: int, _last: bool) -> None:
        self.received.append(edge)
        self.saw_output(edge, data)
