"""The order of tiles in hardware equals the order in which hosts reassemble results, and each tile occurs once."""

import itertools

import pytest
from amaranth.sim import Simulator

from lowtide.engine.tile_order import TileOrder
from lowtide_model.engine.results import tile_order

WORDS, MOST = 40, 5


def walked(products):
    """Tiles and bases of products that follow each other, as the unit has them."""
    unit, found = TileOrder(WORDS), []

    async def bench(ctx):
        for (down, across), (new_a, new_b), (size_a, size_b) in products:
            values = {"panels_a": down, "panels_b": across, "size_a": size_a, "size_b": size_b}
            for name, value in {**values, "new_a": new_a, "new_b": new_b}.items():
                ctx.set(getattr(unit, name), value)
            tiles = []
            for n in range(down * across):
                ctx.set(unit.next, 0)
                await ctx.tick()  # it waits
                tile = ctx.get(unit.panel_a), ctx.get(unit.panel_b)
                assert (ctx.get(unit.base_a), ctx.get(unit.base_b)) == (tile[0] * size_a, tile[1] * size_b)
                assert ctx.get(unit.ends) == (n == down * across - 1)
                tiles.append(tile)
                ctx.set(unit.next, 1)
                await ctx.tick()
            found.append(tiles)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("new_a", [0, 1])
@pytest.mark.parametrize("new_b", [0, 1])
def test_order_of_all_small_products(new_a, new_b):
    grids = list(itertools.product(range(1, MOST + 1), repeat=2))
    found = walked([(grid, (new_a, new_b), (3, 8)) for grid in grids])
    for grid, tiles in zip(grids, found, strict=True):
        assert tiles == tile_order(grid[0], grid[1], bool(new_a), bool(new_b)), grid
        assert sorted(tiles) == list(itertools.product(range(grid[0]), range(grid[1])))


def test_tiles_with_earlier_panels_are_first():
    """With both operands new, a tile never waits for a panel while another could begin; by the definition of steps."""
    for grid in itertools.product(range(1, MOST + 1), repeat=2):
        steps = [max(tile) for tile in tile_order(grid[0], grid[1])]
        assert steps == sorted(steps)


def test_back_to_back_products_of_all_kinds():
    kinds = list(itertools.product(range(2), repeat=2))
    products = [
        (grid, kind, (1 + n % 3, 7))
        for n, (grid, kind) in enumerate(itertools.product([(1, 1), (3, 2), (2, 4)], kinds))
    ]
    for (grid, kind, _), tiles in zip(products, walked(products), strict=True):
        assert tiles == tile_order(*grid, *map(bool, kind))
