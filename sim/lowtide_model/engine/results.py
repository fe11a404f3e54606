"""Order of an engine's results: from tiles in order of arrival to a matrix."""

import itertools

import numpy as np

from lowtide.config import Config

__all__ = ["matrix_of", "result_beats", "tile_order", "tiles_of"]


def tile_order(down: int, across: int, new_a: bool = True, new_b: bool = True) -> list[tuple[int, int]]:
    """Tiles of a product as (row, column), in order of arrival: the order of `lowtide.engine.tile_order`.

    Parameters
    ----------
    down, across : int
        Rows and columns of tiles.
    new_a, new_b : bool
        Whether the operand is loaded for this product.
    """

    def place(tile: tuple[int, int]) -> tuple[int, ...]:
        row, column = tile
        if not new_b:
            return row, column
        if not new_a:
            return column, row
        step = max(tile)
        return (step, 0, row) if row < step else (step, 1, column)

    return sorted(itertools.product(range(down), range(across)), key=place)


def result_beats(config: Config, rows: int, columns: int) -> int:
    """Beats of results of a product, including the padding of tiles."""
    down, across = _grid(config, rows, columns)
    return down * across * config.array.rows * config.array.columns // config.engine.output_width


def matrix_of(
    config: Config, results: np.ndarray, rows: int, columns: int, new_a: bool = True, new_b: bool = True
) -> np.ndarray:
    """The product as a matrix, from its results in order of arrival: see `tile_order`."""
    array, grid = config.array, _grid(config, rows, columns)
    tiles = np.empty((*grid, array.rows, array.columns), np.float32)
    tiles[tuple(zip(*tile_order(*grid, new_a, new_b), strict=True))] = results.reshape(-1, array.rows, array.columns)
    whole = tiles.transpose(0, 2, 1, 3).reshape(grid[0] * array.rows, -1)
    return np.ascontiguousarray(whole[:rows, :columns])


def tiles_of(config: Config, matrix: np.ndarray) -> np.ndarray:
    """The tiles of a matrix in row order, padded with zeros, shape (tiles, rows, columns): see `matrix_of`."""
    array, (down, across) = config.array, _grid(config, *matrix.shape)
    missing = down * array.rows - matrix.shape[0], across * array.columns - matrix.shape[1]
    padded = np.pad(matrix, [(0, missing[0]), (0, missing[1])])
    tiles = padded.reshape(down, array.rows, across, array.columns).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, array.rows, array.columns)


def _grid(config: Config, rows: int, columns: int) -> tuple[int, int]:
    return -(-rows // config.array.rows), -(-columns // config.array.columns)
