"""Optional ports of an array under test: settings, and requantized results."""

import random
from collections import deque
from typing import Any

from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.array import Expect, IntegerModel
from lowtide_sim.bench.models.results import RequantizerModel
from lowtide_sim.bench.stimulus.fields import joined, pack, parted
from lowtide_sim.bench.streams.axi_stream import ONE, Source, Stream, now
from lowtide_sim.bench.streams.unit_streams import Low

__all__ = ["RequantizedResults", "SettingsPort"]


class SettingsPort:
    """Writes settings, reports every write to the model, and checks that the array rejects illegal settings.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    sidecar : dict
        Sidecar of the top.
    rng : random.Random
        Generator of random settings.
    model : IntegerModel
        Model that every write is reported to.
    """

    def __init__(self, dut: Any, sidecar: dict[str, Any], rng: random.Random, model: IntegerModel):
        self.dut: Any = dut
        self.rng, self.model = rng, model
        self.layout, self.terms = sidecar["settings"], sidecar["configuration"]["terms"]
        self.share = 0.0  # share of the cycles with a random write
        self.for_tiles: deque[dict[str, int]] = deque()  # settings of the following tiles
        self._request: int | None = None
        self._drive(0, False)

    def write(self, **settings: int) -> None:
        """Write settings two cycles later."""
        self._request = pack(settings, self.layout)

    def tile_began(self) -> None:
        """Write the settings of the next tile; called when the first beat of a tile is accepted."""
        if self.for_tiles:
            self.write(**self.for_tiles.popleft())

    def random(self) -> int:
        """Random settings, mostly legal."""
        terms, rng = self.terms, self.rng
        if rng.random() < 0.2:
            return rng.getrandbits(self.layout["bits"])
        return pack(
            {
                "reveal": int(rng.random() < 0.7),
                "group": rng.randint(1, terms["group"]),
                "budget": rng.choice((0, terms["budget"], rng.randint(0, terms["budget"]))),
                "data_terms": rng.randint(0, terms["data_terms"]),
            },
            self.layout,
        )

    async def run(self) -> None:
        """Drive and observe the port forever."""
        edge, refused = RisingEdge(self.dut.clk), False
        while True:
            await edge
            if self.dut.rst.value == ONE:
                refused = False
                self._drive(0, False)
                continue
            if (self.dut.settings_refused.value == ONE) != refused:
                raise AssertionError(f"edge {now()}: settings_refused is {self.dut.settings_refused.value}")
            if self.dut.settings_write.value == ONE:
                self.model.saw_write(now(), int(self.dut.settings.value))
                refused = self.model.refused
            if self._request is None and self.share and self.rng.random() < self.share:
                self._request = self.random()
            if self._request is not None:
                self._drive(self._request, True)
            elif self._writes:
                self._drive(self.random(), False)  # without a write, settings may have any value
            self._request = None

    def _drive(self, settings: int, write: bool) -> None:
        self.dut.settings.value, self.dut.settings_write.value = settings, write
        self._writes = write


Settings = dict[str, int]


class SettingsStream(Stream):
    """Stream of settings, without ``tlast``."""

    def __init__(self, dut: Any):
        self.clk, self.rst = dut.clk, dut.rst
        names = ("tdata", "tvalid", "tready")
        self.data, self.valid, self.ready = (getattr(dut, f"s_axis_requantize_{name}") for name in names)
        self.last = Low()


class RequantizedResults:
    """Sends one word of settings per tile, and converts expected rows of accumulators to expected beats.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    sidecar : dict
        Sidecar of the top.
    rng : random.Random
        Generator of random settings.
    expect : function
        Called with each expected beat: its integers, and whether it is the last beat of its tile.
    """

    def __init__(self, dut: Any, sidecar: dict[str, Any], rng: random.Random, expect: Expect):
        self.dut, self.rng, self._expect = dut, rng, expect
        self.layout = sidecar["requantize"]
        self.model = RequantizerModel({"parameters": sidecar["requantizer"]})
        self.beats = self.model.columns // self.model.lanes  # per row
        self.source = Source(SettingsStream(dut), rng)
        self.for_tiles: deque[Settings] = deque()  # settings of the next tiles; random if empty
        self._sent: deque[Settings] = deque()
        self.reset()

    def reset(self) -> None:
        """Discard sent settings, and clear the count."""
        self.source.clear()
        self._sent.clear()
        self.saturations = 0
        self.dut.saturations_clear.value = 0

    def send(self) -> None:
        """Send the settings of a tile."""
        settings = self.for_tiles.popleft() if self.for_tiles else self._random()
        self._sent.append(settings)
        self.source.send([(pack(settings, self.layout), False)])

    def expect(self, words: list[int], last: bool) -> None:
        """Add an expected row of accumulators."""
        shape = self.model.shape
        for beat in self.model.beats(joined(words, shape.accumulator, last), **self._sent[0]):
            integers, marks = parted(beat.payload, shape.revealed, self.model.lanes)
            self.saturations += sum(beat.events)
            self._expect(integers, bool(marks >> 1))
        if last:
            self._sent.popleft()

    def check_count(self) -> None:
        """Check the counter of saturated results, after all expected results have arrived."""
        counted = int(self.dut.saturations.value)
        if counted != self.saturations:
            raise AssertionError(f"saturations is {counted}, not {self.saturations}")

    def _random(self) -> Settings:
        shape, rng = self.model.shape, self.rng
        bits = rng.randint(1, shape.multiplier)
        # Results of a tile have random sizes, most of them below half of the accumulator's bits.
        near = bits + max(rng.randint(-shape.width, shape.accumulator // 2), 0)
        return {
            "multiplier": rng.getrandbits(bits),
            "shift": rng.choice((min(near, shape.max_shift), rng.randint(0, shape.max_shift))),
            "relu": int(rng.random() < 0.3),
            "data_terms": rng.randint(0, shape.most_terms),
        }
