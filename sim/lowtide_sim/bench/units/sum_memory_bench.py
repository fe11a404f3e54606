"""Bench of a sum memory."""

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from lowtide.engine.sum_memory import SumMemoryParams
from lowtide_sim.bench.stimulus.sum_products import accumulator_word, random_products, sum_word, tile_words
from lowtide_sim.bench.streams.axi_stream import ONE, Source
from lowtide_sim.bench.streams.pause import PAUSES
from lowtide_sim.bench.streams.unit_streams import PayloadStream
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["SumMemoryBench"]


class SumMemoryBench(UnitBench):
    """Drives an emitted sum memory, and checks every row that leaves and the number of kept products.

    For parameters, see `UnitBench`; ``stalls`` has the stalls of the tiles first.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str, str] = ("none", "none", "none")):
        super().__init__(dut, stalls[1:])
        self.params = SumMemoryParams(**self.sidecar["parameters"])
        self.tiles = Source(PayloadStream(dut, "tile"), self.rng)
        self.tiles.pauses = PAUSES[stalls[0]](random.Random(self.rng.getrandbits(64)))
        self.kept = self.kept_due = 0

    def watch(self) -> None:
        """Drive the tiles, and count the kept products."""
        cocotb.start_soon(self.tiles.run())
        cocotb.start_soon(self._count())

    def send(self, products: int) -> None:
        """Queue random products; the first of them adds nothing."""
        for product in random_products(self.rng, self.params, products):
            self.tiles.send([(word, False) for word in tile_words(self.params, product)])
            self.source.send([(accumulator_word(self.params, row), False) for row in product.rows])
            self.due.extend(sum_word(self.params, product, row) for row in product.rows if row.sums is not None)
            self.kept_due += product.keep

    def forget(self) -> None:
        """Discard all tiles and expected rows."""
        super().forget()
        self.tiles.clear()
        self.kept = self.kept_due = 0

    async def finish(self) -> None:
        """Wait for all expected rows, and check that no others leave.

        Raises
        ------
        AssertionError
            If rows are missing, or the number of kept products is wrong.
        """
        await super().finish()
        if self.kept != self.kept_due:
            raise AssertionError(f"{self.kept} products were kept, not {self.kept_due}")

    def saw_output(self, edge: int, data: int) -> None:
        """Compare a row with the next expected row."""
        due = self.next_due(edge, "row")
        if data != due:
            raise AssertionError(f"edge {edge}, row {len(self.received)}: {data:#x}, not {due:#x}")

    async def _count(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.kept += self.dut.rst.value != ONE and self.dut.kept.value == ONE
