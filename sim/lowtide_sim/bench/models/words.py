"""What an array of any element must answer to words as the element takes them."""

from typing import Any

from lowtide_sim.bench.models.element import ELEMENTS, Memory
from lowtide_sim.bench.models.tile import Expect, TileModel
from lowtide_sim.bench.stimulus.fields import words_of

__all__ = ["WordModel"]


class WordModel(TileModel):
    """Sums of what an element makes of each beat's words. What a row's elements keep, they keep alike.

    Parameters are those of `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        self.element = ELEMENTS[sidecar["configuration"]["array"]["element"]](sidecar)
        self.bits_a, self.bits_b = sidecar["word_a"]["bits"], sidecar["word_b"]["bits"]
        super().__init__(sidecar, expect)

    def reset(self) -> None:
        """Forget everything."""
        self.memories: list[Memory] = [{} for _ in range(self.rows)]
        super().reset()

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add what a beat makes; what it brings to be kept is there from the next beat on."""
        columns = words_of(b, self.bits_b, self.columns)
        for sums, memory, x in zip(self.sums, self.memories, words_of(a, self.bits_a, self.rows), strict=True):
            for column, y in enumerate(columns):
                sums[column] += self.element.addend(memory, x, y)
            self.element.store(memory, x)

    def results(self) -> list[list[int]]:
        """The sums."""
        return self.sums

    def clear(self) -> None:
        """Start from zero."""
        self.sums = [[0] * self.columns for _ in range(self.rows)]
