"""Results that an array makes integers of: settings for each tile, and what the rows become."""

import random
from collections import deque
from typing import Any

from lowtide_sim.bench.models.requantizer import RequantizerModel
from lowtide_sim.bench.models.tile import Expect
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.stimulus.row_words import joined, parted
from lowtide_sim.bench.streams.axi_stream import Source, Stream
from lowtide_sim.bench.streams.payload_stream import Low

__all__ = ["RequantizedResults"]

Settings = dict[str, int]


class SettingsStream(Stream):
    """The stream of settings, which has no ``tlast``."""

    def __init__(self, dut: Any):
        self.clk, self.rst = dut.clk, dut.rst
        names = ("tdata", "tvalid", "tready")
        self.data, self.valid, self.ready = (getattr(dut, f"s_axis_requantize_{name}") for name in names)
        self.last = Low()


class RequantizedResults:
    """Sends settings, a word for each tile, and turns rows of accumulators that are due into beats that are.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    sidecar : dict
        What was emitted with it.
    rng : random.Random
        Where settings come from.
    expect : function
        Called with each beat that is due: its integers, and whether it is the last of its tile.
    """

    def __init__(self, dut: Any, sidecar: dict[str, Any], rng: random.Random, expect: Expect):
        self.dut, self.rng, self._expect = dut, rng, expect
        self.layout = sidecar["requantize"]
        self.model = RequantizerModel({"parameters": sidecar["requantizer"]})
        self.beats = self.model.columns // self.model.lanes  # of a row
        self.source = Source(SettingsStream(dut), rng)
        self.for_tiles: deque[Settings] = deque()  # settings of the next tiles; then random ones
        self._sent: deque[Settings] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget what was sent, and count from zero."""
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
        """A row of accumulators is due."""
        shape = self.model.shape
        for beat in self.model.beats(joined(words, shape.accumulator, last), **self._sent[0]):
            integers, marks = parted(beat.payload, shape.revealed, self.model.lanes)
            self.saturations += sum(beat.events)
            self._expect(integers, bool(marks >> 1))
        if last:
            self._sent.popleft()

    def check_count(self) -> None:
        """All that was due has come: the counter must say how many of it were held."""
        counted = int(self.dut.saturations.value)
        if counted != self.saturations:
            raise AssertionError(f"{counted} results are counted as held, not {self.saturations}")

    def _random(self) -> Settings:
        shape, rng = self.model.shape, self.rng
        bits = rng.randint(1, shape.multiplier)
        # Results of a tile are of any size, most of them less than half as many bits as there are.
        near = bits + max(rng.randint(-shape.width, shape.accumulator // 2), 0)
        return {
            "multiplier": rng.getrandbits(bits),
            "shift": rng.choice((min(near, shape.max_shift), rng.randint(0, shape.max_shift))),
            "relu": int(rng.random() < 0.3),
            "data_terms": rng.randint(0, shape.most_terms),
        }
