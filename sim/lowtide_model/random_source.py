"""The random source: its words by index, in closed form, and step by step."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, flag, instance, whole_number
from lowtide.units.random.neighbor import Neighbor
from lowtide.units.random.params import RandomSourceParams
from lowtide_model.arrays import integers

__all__ = ["MOST_STEPS", "SteppingSource", "bits_from", "neighbor_words", "words"]

MOST_STEPS = 2**60
"""Steps and rows since reset that can still be added."""


def words(source: RandomSourceParams, index: Any, lane: Any = 0, row: Any = 0) -> np.ndarray:
    """Words of lanes of a source, for arrays that broadcast.

    With ``s`` the seed and ``A`` the step of the generator, it is the low bits of ``A**(n + phase(lane)) s``, inverted
    as the polarity says, at ``n = row + index``.

    Parameters
    ----------
    source : Source
        The source.
    index : array of int
        Steps since reset, or, where the source knows rows, since the row began.
    lane : array of int
        Lanes.
    row : array of int
        Rows since reset. Zero where the source does not know of them.

    Returns
    -------
    array of int64
        The words.

    Raises
    ------
    ValueError
        If there is no such lane, or rows are given to a source without.
    """
    instance("source", source, RandomSourceParams)
    lane = integers("lane", lane, 0, source.lanes - 1)
    index, row = integers("index", index, -MOST_STEPS, MOST_STEPS), integers("row", row, -MOST_STEPS, MOST_STEPS)
    try:
        index, lane, row = np.broadcast_arrays(index, lane, row)
    except ValueError:
        shapes = f"shapes {index.shape}, {lane.shape} and {row.shape}"
        raise ValueError(f"index, lane and row must broadcast, not be of {shapes}") from None
    if not source.rows and row.any():
        raise ValueError("row must be 0: the source was made without rows")
    if not index.size:
        return np.zeros(index.shape, np.int64)
    n = index + row
    if np.any(n < 0):
        raise ValueError(f"row + index must be 0 or more, not {n.min()}")
    phases = np.array([source.phase(number) for number in range(source.lanes)])
    places = n + phases[lane]
    first = int(places.min())
    bits = bits_from(source, first, int(places.max()) - first + source.width).astype(np.int64)
    window = sum(bits[i : len(bits) - source.width + 1 + i] << i for i in range(source.width))
    inverted = np.array([source.inverts(number) for number in range(source.lanes)])[lane] ^ (n % 2 * source.alternates)
    return np.asarray(window)[places - first] ^ (2**source.width - 1) * inverted


def bits_from(source: RandomSourceParams, first: int, count: int) -> np.ndarray:
    """``count`` bits of the generator's sequence from step ``first`` on; ``bits`` of them are a state."""
    if 2**source.bits <= first + count:  # a period is shorter than what is asked for
        period = _extended(source, _seed(source), source.states)
        return period[(first + np.arange(count)) % source.states]
    return _extended(source, _seed(source), first + count)[first:]


class SteppingSource:
    """A source as a plain machine: a state, a toggle, and a step.

    Parameters
    ----------
    source : Source
        The source.
    """

    def __init__(self, source: RandomSourceParams):
        self.source = instance("source", source, RandomSourceParams)
        self.state, self.odd = _seed(source), 0
        self.start = self._after(self.state, self.odd)

    def words(self) -> list[int]:
        """The words of all lanes, now."""
        return [self._word(lane) for lane in range(self.source.lanes)]

    def step(self, row: bool = False) -> None:
        """Go on to the next words, or, at the end of a row, to the next row's first."""
        if flag("row", row) and self.source.rows:
            self.state, self.odd = self.start
            self.start = self._after(*self.start)
        else:
            self.state, self.odd = self._after(self.state, self.odd)

    def _word(self, lane: int) -> int:
        source, state = self.source, self.state
        for _ in range(source.phase(lane)):
            state, _ = self._after(state, 0)
        word = sum(bit << n for n, bit in enumerate(state[: source.width]))
        inverted = source.inverts(lane) ^ (source.alternates and self.odd)
        return word ^ (2**source.width - 1 if inverted else 0)

    def _after(self, state: list[int], odd: int) -> tuple[list[int], int]:
        return [*state[1:], _next_bit(self.source, state)], 1 - odd


def _seed(source: RandomSourceParams) -> list[int]:
    return [source.seed >> n & 1 for n in range(source.bits)]


def _next_bit(source: RandomSourceParams, state: list[int]) -> int:
    """The bit after a state: the sum of those that the taps name, the polynomial's 1 among them."""
    bit = (state[0] + sum(state[tap] for tap in source.exponents[1:])) % 2
    if source.polarity == "uniform" and not any(state[1:]):
        return 1 - bit
    return bit


def _extended(source: RandomSourceParams, state: list[int], count: int) -> np.ndarray:
    """``count`` bits from a state on.

    Of a linear sequence not one by one: a polynomial over GF(2) is squared by doubling its exponents, so that once
    there are many bits, many more follow from them at once.
    """
    if source.polarity == "uniform":
        bits = list(state)
        while len(bits) < count:
            bits.append(_next_bit(source, bits[-source.bits :]))
        return np.array(bits[:count], np.uint8)
    taps = np.array([0, *source.exponents[1:]])
    sequence = np.zeros(max(count, source.bits), np.uint8)
    sequence[: source.bits] = state
    known, leap = source.bits, 1
    while known < count:
        while 2 * leap * source.bits <= known:
            leap *= 2
        origin = known - leap * source.bits
        more = min(leap * (source.bits - int(taps.max())), count - known)
        for tap in taps:
            sequence[known : known + more] ^= sequence[origin + leap * tap : origin + leap * tap + more]
        known += more
    return sequence[:count]


LEGAL = {field.name: field.metadata["legal"] for field in attrs.fields(Neighbor)}


def neighbor_words(data: Any, *, width: int, neighbors: int = 1) -> np.ndarray:
    """Words of all lanes.

    Parameters
    ----------
    data : array of int, shape (..., lanes)
        Low-order bits of the lanes' data, ``width`` bits each.
    width : int
        Bits of a word.
    neighbors : int
        Lanes after a lane that its word is the XOR of, the bits of every second of them in the opposite order.

    Returns
    -------
    array of int64, shape (..., lanes)
        The words.
    """
    width = whole_number("width", width, LEGAL["width"])
    neighbors = whole_number("neighbors", neighbors, LEGAL["neighbors"])
    data = integers("data", data, 0, 2**width - 1)
    if data.ndim == 0:
        raise IllegalValue("data", "an array of one dimension or more", int(data))
    backwards = sum((data >> bit & 1) << width - 1 - bit for bit in range(width))
    words = np.zeros(data.shape, np.int64)
    for k in range(1, neighbors + 1):
        words ^= np.roll(data if k % 2 else backwards, -k, axis=-1)
    return words
