"""Random products for a sum memory, and the rows that must leave it: a plain model of the sums."""

from collections.abc import Iterator
from random import Random

import attrs

from lowtide.engine.sum_memory import SumMemoryParams
from lowtide_sim.bench.stimulus.fields import joined

__all__ = ["Row", "SumProduct", "accumulator_word", "random_products", "sum_word", "tile_words"]


@attrs.frozen(kw_only=True)
class Row:
    """A row of a tile.

    Parameters
    ----------
    accumulators : tuple of int
        Accumulators of the columns.
    last : bool
        Whether the row is the last of its tile.
    sums : tuple of int, optional
        Sums that leave; None if the sums are kept.
    end : bool
        Whether the row is the last of its product.
    """

    accumulators: tuple[int, ...]
    last: bool
    sums: tuple[int, ...] | None
    end: bool


@attrs.frozen(kw_only=True)
class SumProduct:
    """A product: its tiles in their order, the use of its sums, its scale, and its rows."""

    tiles: tuple[int, ...]
    add: bool
    keep: bool
    scale: int
    rows: tuple[Row, ...]


def random_products(rng: Random, params: SumMemoryParams, count: int) -> list[SumProduct]:
    """Products whose sums fit. A product adds only what was kept for its tiles, often in another order."""
    memory: dict[tuple[int, int], tuple[int, ...]] = {}
    products: list[SumProduct] = []
    passes, tiles = 0, ()  # of the kept sums
    most = 1 << params.sum_width - params.width
    for _ in range(count):
        add = 0 < passes < most and rng.random() < 0.6
        keep = rng.random() < 0.6
        number = min(params.tiles, rng.choice((1, 1, 2, 4)))
        chosen = tuple(rng.sample(tiles, len(tiles)) if add else rng.sample(range(params.tiles), number))
        rows = tuple(_rows(rng, params, memory, chosen, add, keep))
        if keep:
            passes, tiles = passes + 1 if add else 1, chosen
        products.append(SumProduct(tiles=chosen, add=add, keep=keep, scale=rng.randint(-512, 511), rows=rows))
    return products


def tile_words(params: SumMemoryParams, product: SumProduct) -> list[int]:
    """Payloads of the stream of tiles."""
    marks = {"add": product.add, "keep": product.keep, "scale": product.scale}
    return [
        params.layout_tile.const({"index": tile, "end": n == len(product.tiles) - 1, **marks}).as_bits()
        for n, tile in enumerate(product.tiles)
    ]


def accumulator_word(params: SumMemoryParams, row: Row) -> int:
    """Payload of a row of accumulators."""
    return joined(row.accumulators, params.width, row.last)


def sum_word(params: SumMemoryParams, product: SumProduct, row: Row) -> int:
    """Payload of a row of sums that leaves."""
    assert row.sums is not None
    sums = joined(row.sums, params.sum_width, row.end)
    return sums | (product.scale & 1023) << params.columns * params.sum_width + 1


def _rows(
    rng: Random,
    params: SumMemoryParams,
    memory: dict[tuple[int, int], tuple[int, ...]],
    tiles: tuple[int, ...],
    add: bool,
    keep: bool,
) -> Iterator[Row]:
    """Rows of a product with random accumulators, often extreme; updates the sums in ``memory``."""
    least, largest = -(1 << params.width - 1), (1 << params.width - 1) - 1
    zeros = (0,) * params.columns
    for place, tile in enumerate(tiles):
        for row in range(params.rows):
            accumulators = tuple(rng.choice((least, largest, rng.randint(least, largest))) for _ in zeros)
            stored = memory[tile, row] if add else zeros
            sums = tuple(x + y for x, y in zip(accumulators, stored, strict=True))
            if keep:
                memory[tile, row] = sums
            last = row == params.rows - 1
            yield Row(
                accumulators=accumulators,
                last=last,
                sums=None if keep else sums,
                end=last and place == len(tiles) - 1,
            )
