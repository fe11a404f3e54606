"""Driver and monitor of the settings port of an array that reveals terms."""

import random
from collections import deque
from typing import Any

from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.array import IntegerModel
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.streams.axi_stream import ONE, now

__all__ = ["SettingsPort"]


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
