"""The source without a generator: words made of the data of neighbouring lanes."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide.units.random.neighbour import Neighbour
from lowtide_sim.golden.arrays import integers

__all__ = ["neighbour_words"]

LEGAL = {field.name: field.metadata["legal"] for field in attrs.fields(Neighbour)}


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
    width = whole_number("width", width, LEGAL["width"])
    neighbours = whole_number("neighbours", neighbours, LEGAL["neighbours"])
    data = integers("data", data, 0, 2**width - 1)
    if data.ndim == 0:
        raise IllegalValue("data", "an array of one dimension or more", int(data))
    backwards = sum((data >> bit & 1) << width - 1 - bit for bit in range(width))
    words = np.zeros(data.shape, np.int64)
    for k in range(1, neighbours + 1):
        words ^= np.roll(data if k % 2 else backwards, -k, axis=-1)
    return words
