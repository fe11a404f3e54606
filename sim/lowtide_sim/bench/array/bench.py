"""Bench of an array: connects drivers, monitors, model and checker."""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide_sim.bench.array.optional_ports import RequantizedResults, SettingsPort
from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.models.array import ArrayModel, IntegerModel, WordModel
from lowtide_sim.bench.models.checker import Checker
from lowtide_sim.bench.stimulus.term_tiles import IntegerTiles, WordTiles
from lowtide_sim.bench.stimulus.tiles import Tile, Tiles
from lowtide_sim.bench.streams.axi_stream import ONE, PERIOD, Monitor, Sink, Source, Stream, now
from lowtide_sim.bench.streams.pause import PAUSES

__all__ = ["ArrayBench"]


class ArrayBench:
    """Drives an emitted array, and checks all its outputs.

    The model gets the words that monitors observe at the array's inputs, not the words that the drivers queued. The
    checker gets the rows that a monitor observes at the output.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    stalls : tuple of str
        Stalls of A, B and C: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str, str] = ("none", "none", "none")):
        self.dut, self.sidecar = dut, sidecar()
        # For every test, cocotb seeds Python's global generator from the run's seed, the module and the test's name.
        self.rng = random.Random(random.getrandbits(64))
        self.rows = self.sidecar["configuration"]["array"]["rows"]
        self.columns = self.sidecar["configuration"]["array"]["columns"]
        self.requantized: RequantizedResults | None = None
        if "requantizer" in self.sidecar:
            self.checker = Checker(self.sidecar["requantizer"]["lanes"], self.sidecar["result_bits"])
            self.requantized = RequantizedResults(dut, self.sidecar, self.rng, self.checker.expect)
        else:
            self.checker = Checker(self.columns, self.sidecar["accumulator_bits"])
        tiles, model = self._kind()
        self.tiles: Any = tiles(self.sidecar, self.rng)
        self.model: Any = model(self.sidecar, (self.requantized or self.checker).expect)
        self.settings = SettingsPort(dut, self.sidecar, self.rng, self.model) if "settings" in self.sidecar else None
        self.beats: list[tuple[int, bool]] = []  # edges of accepted beats of A, and their tlast
        self.results: list[tuple[int, bool]] = []  # edges of received rows, and their tlast
        self.row_seen: Callable[[int], object] = lambda _data: None  # called with every received row
        self.misaligned_from: int | None = None

        a, b, c = (Stream(dut, prefix) for prefix in ("s_axis_a", "s_axis_b", "m_axis_c"))
        self.a, self.b, self.c = Source(a, self.rng), Source(b, self.rng), Sink(c)
        self.stall(*stalls)
        self.monitors = Monitor(a, self._saw_a), Monitor(b, self.model.saw_b), Monitor(c, self._saw_c)

    async def start(self, reset: int = 4) -> "ArrayBench":
        """Start the clock, and apply reset for ``reset`` cycles."""
        Clock(self.dut.clk, PERIOD, "ns").start()
        self.dut.rst.value = 1
        for part in (*self.monitors, self.a, self.b, self.c):
            cocotb.start_soon(part.run())
        cocotb.start_soon(self._watch_misaligned())
        if self.settings:
            cocotb.start_soon(self.settings.run())
        if self.requantized:
            cocotb.start_soon(self.requantized.source.run())
        await self.reset(reset)
        return self

    def stall(self, a: str, b: str, c: str) -> None:
        """Set the stalls of the streams."""
        for part, name in ((self.a, a), (self.b, b), (self.c, c)):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        if self.requantized:
            self.requantized.source.pauses = PAUSES[c](random.Random(self.rng.getrandbits(64)))

    def send(self, tile: Tile) -> None:
        """Queue a tile on both streams and, for an array with a requantizer, its requantization settings."""
        self.a.send(tile.a)
        self.b.send(tile.b)
        if self.requantized:
            for _ in range(sum(last for _, last in tile.a)):
                self.requantized.send()

    async def reset(self, cycles: int = 1) -> None:
        """Apply reset for ``cycles`` cycles, which discards all queued, processed and expected words."""
        first = now() + 1
        self.dut.rst.value = 1
        self.a.clear()
        self.b.clear()
        await ClockCycles(self.dut.clk, cycles)
        self._check_misaligned(first)
        self.tiles.reset()
        self.model.reset()
        self.checker.reset()
        if self.requantized:
            self.requantized.reset()
        self.misaligned_from = None
        self.dut.rst.value = 0

    async def finish(self) -> None:
        """Wait for all expected results, and check that no further results arrive.

        Raises
        ------
        AssertionError
            If results are missing.
        """
        edge, waited, seen = RisingEdge(self.dut.clk), 0, -1
        while self.a.words or self.a.offered or self.b.words or self.b.offered or self.checker.due:
            await edge
            progress = len(self.beats) + len(self.results)
            waited, seen = (waited + 1, seen) if progress == seen else (0, progress)
            if waited > 2000:
                raise AssertionError(f"no transfer for 2000 cycles: {len(self.checker.due)} rows are missing")
        await ClockCycles(self.dut.clk, 4 * self.rows + 2 * self.sidecar["latency"])
        self._check_misaligned(now())
        if self.requantized:
            self.requantized.check_count()

    @property
    def tile_beats(self) -> int:
        """Beats of results per tile."""
        return self.rows * (self.requantized.beats if self.requantized else 1)

    @property
    def beat_cycles(self) -> int:
        """Most extra cycles that the array needs to process a beat."""
        if self.settings is None:
            return 0
        terms = self.sidecar["configuration"]["terms"]
        return terms["group"] * terms["width"]  # if every term is kept

    def _kind(self) -> tuple[type, type]:
        array = self.sidecar["configuration"]["array"]
        if array["element"] == "fmac":
            return Tiles, ArrayModel
        return (IntegerTiles, IntegerModel) if array["operands"] == "integers" else (WordTiles, WordModel)

    def _saw_a(self, edge: int, data: int, last: bool) -> None:
        if self.settings and (not self.beats or self.beats[-1][1]):
            self.settings.tile_began()
        self.beats.append((edge, last))
        self.model.saw_a(edge, data, last)

    def _saw_c(self, edge: int, data: int, last: bool) -> None:
        self.results.append((edge, last))
        self.checker.saw(edge, data, last)
        self.row_seen(data)

    async def _watch_misaligned(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if self.dut.rst.value == ONE:
                continue
            if self.dut.misaligned.value == ONE:
                self.misaligned_from = now() if self.misaligned_from is None else self.misaligned_from
            elif self.misaligned_from is not None:
                raise AssertionError("misaligned fell without a reset")

    def _check_misaligned(self, until: int) -> None:
        """Check that ``misaligned`` rose in the cycle after the first misaligned beat, if this was before ``until``."""
        since = self.model.misaligned_since
        expected = None if since is None or since + 1 >= until else since + 1
        if self.misaligned_from != expected:
            raise AssertionError(f"misaligned rose at edge {self.misaligned_from}, not {expected}")
