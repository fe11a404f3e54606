"""Products of integers as the beats of an array that takes them."""

from typing import Any

import numpy as np

from lowtide_sim.bench.tiles import Tile, tile

__all__ = ["integer_tile"]


def integer_tile(sidecar: dict[str, Any], a: np.ndarray, b: np.ndarray, group: int) -> Tile:
    """A tile of a product.

    Parameters
    ----------
    sidecar : dict
        What was emitted with an array of ``pmac``, or of ``tmac`` whose operands are integers.
    a, b : arrays of int, shapes (rows, K) and (K, columns)
        Operands.
    group : int
        Values of a group, each of which begins with a beat.
    """
    terms, array = sidecar["configuration"]["terms"], sidecar["configuration"]["array"]
    values = terms["values"] if array["operands"] == "integers" else 1
    cuts = [
        slice(start, min(start + values, first + group, a.shape[1]))
        for first in range(0, a.shape[1], group)
        for start in range(first, min(first + group, a.shape[1]), values)
    ]
    width = terms["width"]
    return tile([(_beat(a[:, cut], values, width), _beat(b.T[:, cut], values, width)) for cut in cuts])


def _beat(words: np.ndarray, values: int, width: int) -> int:
    """A beat of the next integers of every word; behind the last of a group there are zeros."""
    padded = np.pad(words, [(0, 0), (0, values - words.shape[1])])
    return sum((int(value) & (1 << width) - 1) << n * width for n, value in enumerate(padded.ravel()))
