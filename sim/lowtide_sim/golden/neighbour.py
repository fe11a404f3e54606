"""The source without a generator: words made of the data of neighbouring lanes."""

from typing import Any

import numpy as np

__all__ = ["neighbour_words"]


def neighbour_words(data: Any, *, width: int, neighbours: int = 1) -> np.ndarray:
    """Words of all lanes.

    Parameters
    ----------
    data : array of int, shape (..., lanes)
        Low-order bits of the lanes' data, ``width`` bits each.
    width : int
        Bits of a word.
    neighbours : int
        Lanes after a lane that its word is the XOR of, the bits of every second of them in the opposite order.

    Returns
    -------
    array of int64, shape (..., lanes)
        The words.
    """
    data = np.asarray(data, np.int64)
    backwards = sum((data >> bit & 1) << width - 1 - bit for bit in range(width))
    words = np.zeros(data.shape, np.int64)
    for k in range(1, neighbours + 1):
        words ^= np.roll(data if k % 2 else backwards, -k, axis=-1)
    return words
