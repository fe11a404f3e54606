"""The control register of an array that reveals terms, in a bench."""

import random
from collections import deque
from typing import Any

from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.integers import IntegerModel
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.streams.axi_stream import ONE, now

__all__ = ["SettingsPort"]


class SettingsPort:
    """Writes settings, tells the model of every write, and checks that those that are not legal are refused.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    sidecar : dict
        What was emitted with it.
    rng : random.Random
        Where settings come from.
    model : IntegerModel
        Learns of every write.
    """

    def __init__(self, dut: Any, sidecar: dict[str, Any], rng: random.Random, model: IntegerModel):
        self.dut: Any = dut
        self.rng, self.model = rng, model
        self.layout, self.terms = sidecar["settings"], sidecar["configuration"]["terms"]
        self.share = 0.0  # of the cycles, in which random settings are written
        self.for_tiles: deque[dict[str, int]] = deque()  # settings of the tiles after this one
        self._request: int | None = None
        self._drive(0, False)

    def write(self, **settings: int) -> None:
        """Write these settings in the next cycle but one."""
        self._request = pack(settings, self.layout)

    def tile_began(self) -> None:
        """The first beat of a tile was taken: write the settings of the next one."""
        if self.for_tiles:
            self.write(**self.for_tiles.popleft())

    def random(self) -> int:
        """Settings of which most are legal."""
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
        """Drive and watch the register for ever."""
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
                self._drive(self.random(), False)  # without a write, anything may stand there
            self._request = None

    def _drive(self, settings: int, write: bool) -> None:
        self.dut.settings.value, self.dut.settings_write.value = settings, write
        self._writes = write
