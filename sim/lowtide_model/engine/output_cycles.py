"""Cycle model of the output stage: post operations, and packing of results."""

from collections.abc import Sequence

import attrs

from lowtide.config import Config
from lowtide.engine.output_stage import OutputStage
from lowtide.formats.integers import PackedIntegers
from lowtide.formats.packed import PackedLayout
from lowtide.formats.parameter import count, flag

__all__ = ["Output", "OutputCycles"]

COUNT = attrs.Converter(lambda value, field: count(field.name, value), takes_field=True)
FLAG = attrs.Converter(lambda value, field: flag(field.name, value), takes_field=True)

RESTART = 3
"""Cycles from the last result of a product to the first cycle in which a beat of the next one may enter."""


@attrs.frozen(kw_only=True)
class Output:
    """What follows a product, for the cycle model.

    Parameters
    ----------
    scale, bias, residual : bool
        Whether there are scales and offsets per column, whether a column bias or a residual is added.
    chunks : int
        Chunks of A per magnitude of packed groups; 0 for results in FP32.
    integers : bool
        Whether the results are packed integers.
    """

    scale: bool = attrs.field(default=False, converter=FLAG)
    bias: bool = attrs.field(default=False, converter=FLAG)
    residual: bool = attrs.field(default=False, converter=FLAG)
    chunks: int = attrs.field(default=0, converter=COUNT)
    integers: bool = attrs.field(default=False, converter=FLAG)

    @property
    def packed(self) -> bool:
        """Whether the results are packed, one number per cycle."""
        return self.integers or self.chunks > 0

    @property
    def row_order(self) -> bool:
        """Whether the tiles are in row order."""
        return self.scale or self.bias or self.residual or self.packed


class OutputCycles:
    """Computes when the results of products leave an output stage, if no stream stalls.

    Parameters
    ----------
    config : Config
        Configuration of an engine with an `OutputStage`.
    stage : OutputStage
        Output stage of the engine.
    """

    def __init__(self, config: Config, stage: OutputStage):
        array, engine = config.array, config.engine
        self.rows, self.columns, self.numbers = array.rows, array.columns, engine.output_width
        integers = PackedIntegers(width=config.terms.width) if array.element != "fmac" else None
        self.lanes = integers.per_word if integers else config.bfp.lanes
        self.layout, self.chunk = PackedLayout.of(config.bfp), config.bfp.chunk_a
        self.latency = stage.post.latency if engine.post_operations else 0
        self.slots = stage.packed.assembler.slots if stage.packed else 0
        self.converter = stage.packed.converter_latency if stage.packed else 0
        self.free = 0  # cycle from which a beat of the next product may enter

    def ends(
        self, output: Output, shape: tuple[int, int], started: int, tiles: Sequence[tuple[int, int]], beats: int
    ) -> int:
        """Return the cycle in which the last result of a product leaves.

        Parameters
        ----------
        output : Output
            What follows the product.
        shape : pair of int
            Rows and columns of the product.
        started : int
            Cycle in which the dispatcher starts the product.
        tiles : sequence of pairs of int
            Cycles of the first and of the last result of each tile, if the output stage always accepts them.
        beats : int
            Beats of a tile.
        """
        across = -(-shape[1] // self.columns)
        begins = max(self.free, started) + output.bias * across * (self.columns // self.numbers)
        entered, firsts, lasts = begins, [], []
        for first, last in tiles:
            firsts.append(max(first, entered) + self.latency)
            entered = max(entered + beats, last)
            lasts.append(entered + self.latency)
        end = self._packed(output, shape, across, firsts, lasts) if output.packed else lasts[-1]
        self.free = end + RESTART
        return end

    def _packed(
        self, output: Output, shape: tuple[int, int], across: int, firsts: Sequence[int], lasts: Sequence[int]
    ) -> int:
        """Cycle of the last packed result of a product, from the cycles of the first and last results of its tiles."""
        (rows, columns), size = shape, self.rows * self.columns
        stored: list[int] = []  # cycle in which each tile is stored
        freed: list[int] = []
        writing, reading = 0, 0
        done = 0  # tiles of the rows of tiles before

        def store(tile: int) -> None:
            nonlocal writing
            writing = max(writing, firsts[tile])
            if tile >= self.slots:
                writing = max(writing, freed[tile - self.slots])
            writing = max(writing + size, lasts[tile] + self.numbers - 1)
            stored.append(writing)

        for top in range(0, rows, self.rows):
            for group in range(0, columns, self.lanes):
                high = min(self.rows, rows - top)
                for row in range(high):
                    for column in range(group, min(group + self.lanes, columns)):
                        tile = done + column // self.columns
                        while len(stored) <= tile:
                            store(len(stored))
                        reading = max(reading, stored[tile]) + 1
                        if row == high - 1 and column % self.columns == self.columns - 1:
                            freed.append(reading)
                    reading += max(group + self.lanes - columns, 0)
                    if row == high - 1 and group + self.lanes >= columns and columns % self.columns:
                        freed.append(reading)  # after the padding
            done += across
        words = 1 if output.integers else self.layout.words(output.chunks * self.chunk)
        return reading + self.converter + words + LAST


LAST = 2
"""Cycles from the number that the assembler reads to the converter, and from the last word to the last beat."""
