"""Results of an engine, which come tile by tile, as a matrix."""

import numpy as np

from lowtide.config import Config

__all__ = ["matrix_of", "result_beats"]


def result_beats(config: Config, rows: int, columns: int) -> int:
    """Beats of results of a product of so many rows and columns: those of whole tiles."""
    down, across = _grid(config, rows, columns)
    return down * across * config.array.rows * config.array.columns // config.engine.results


def matrix_of(config: Config, results: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The product, of its results in the order in which they came."""
    array, grid = config.array, _grid(config, rows, columns)
    tiles = results.reshape(*grid, array.rows, array.columns).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(tiles.reshape(grid[0] * array.rows, -1)[:rows, :columns])


def _grid(config: Config, rows: int, columns: int) -> tuple[int, int]:
    return -(-rows // config.array.rows), -(-columns // config.array.columns)
