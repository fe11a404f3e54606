"""Random products for a sum memory, and the rows that must leave it: a plain model of the sums."""

import attrs

__all__ = ["Row", "SumProduct", "random_products", "rows_of"]


@attrs.frozen(kw_only=True)
class Row:
    """A row of a tile: its accumulators, and what leaves: sums with a mark of the product's end, or nothing."""

    accumulators: tuple[int, ...]
    last: bool
    sums: tuple[int, ...] | None
    end: bool


@attrs.frozen(kw_only=True)
class SumProduct:
    """A product: the tiles in their order, what happens to its sums, its scale, and its rows."""

    tiles: tuple[int, ...]
    add: bool
    keep: bool
    scale: int
    rows: tuple[Row, ...]


def random_products(rng, params, count):
    """Products whose sums fit; a product adds only what was kept for the same tiles."""
    memory, passes, products, tiles = {}, 0, [], ()
    most = 1 << params.sum_width - params.width
    for _ in range(count):
        add = 0 < passes < most and rng.random() < 0.6
        keep = rng.random() < 0.6
        if not add:
            chosen = tuple(rng.sample(range(params.tiles), rng.randint(1, min(params.tiles, rng.choice((1, 1, 4))))))
        else:
            chosen = tuple(rng.sample(tiles, len(tiles)))
        rows = tuple(rows_of(rng, params, memory, chosen, add, keep))
        if keep:
            passes, tiles = passes + 1 if add else 1, chosen
        products.append(SumProduct(tiles=chosen, add=add, keep=keep, scale=rng.randint(-512, 511), rows=rows))
    return products


def rows_of(rng, params, memory, tiles, add, keep):
    """Rows of a product with random accumulators, often the largest; updates the sums in ``memory``."""
    least, largest = -(1 << params.width - 1), (1 << params.width - 1) - 1
    for place, tile in enumerate(tiles):
        for row in range(params.rows):
            accumulators = tuple(
                rng.choice((least, largest, rng.randint(least, largest))) for _ in range(params.columns)
            )
            stored = memory.get((tile, row), (0,) * params.columns) if add else (0,) * params.columns
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
