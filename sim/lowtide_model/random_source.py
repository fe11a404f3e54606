"""Models of the random sources: words of the LFSR source, in closed form and step by step; neighbor words."""

from functools import lru_cache
from typing import Any

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue, flag, instance, whole_number
from lowtide.units.random.params import NeighborParams, RandomSourceParams
from lowtide_model.arrays import integers

__all__ = ["MOST_STEPS", "SteppingSource", "bits_from", "neighbor_words", "words"]

MOST_STEPS = 2**60
"""Limit of steps and of rows since reset: their sum fits into int64."""


def words(source: RandomSourceParams, index: Any, lane: Any = 0, row: Any = 0) -> np.ndarray:
    """Random words of a source by step, lane and row; the arrays broadcast.

    With ``s`` the seed and ``A`` the step of the generator, a word is the low bits of ``A**(n + phase(lane)) s`` at
    ``n = row + index``, inverted according to the polarity. With ``plateau``, bit 0 is inverted if these bits and the
    bit above them are equal.

    Parameters
    ----------
    source : RandomSourceParams
        The source.
    index : array of int
        Steps since reset or, for a source with rows, since the start of the row.
    lane : array of int
        Lanes.
    row : array of int
        Rows since reset; zero for a source without rows.

    Returns
    -------
    array of int64
        The words.

    Raises
    ------
    ValueError
        If a lane does not exist, or a row is not zero for a source without rows.
    """
    instance("source", source, RandomSourceParams)
    lane = integers("lane", lane, 0, source.lanes - 1)
    index, row = integers("index", index, -MOST_STEPS, MOST_STEPS), integers("row", row, -MOST_STEPS, MOST_STEPS)
    try:
        shape = np.broadcast_shapes(index.shape, lane.shape, row.shape)
    except ValueError:
        shapes = f"shapes {index.shape}, {lane.shape} and {row.shape}"
        raise ValueError(f"index, lane and row must broadcast, not be of {shapes}") from None
    if not source.rows and row.any():
        raise ValueError("row must be 0: the source was made without rows")
    if 0 in shape:
        return np.zeros(shape, np.int64)
    n = index + row
    if np.any(n < 0):
        raise ValueError(f"row + index must be 0 or more, not {n.min()}")
    phases = np.array([source.phase(number) for number in range(source.lanes)])
    places = n + phases[lane]
    first = int(places.min())
    bits = bits_from(source, first, int(places.max()) - first + source.width + source.plateau).astype(np.int64)
    places -= first
    found = _words(bits, source)[places]
    inverted = np.array([source.inverts(number) for number in range(source.lanes)])
    if inverted.any() or source.alternates:
        found ^= (2**source.width - 1) * (inverted[lane] ^ (n & source.alternates))
    return found


def bits_from(source: RandomSourceParams, first: int, count: int) -> np.ndarray:
    """``count`` bits of the generator's sequence from step ``first``; ``source.bits`` consecutive bits are a state."""
    if source.polarity == "uniform":  # at most 6 bits
        period = _extended(source, _seed(source), source.states)
        return period[(first + np.arange(count)) % source.states]
    state = _leap(source.exponents, first % source.states) @ _seed(source) % 2
    return _extended(source, state.tolist(), count)


@lru_cache(maxsize=64)
def _leap(exponents: tuple[int, ...], steps: int) -> np.ndarray:
    """The matrix over GF(2) that takes a linear generator's state to its state ``steps`` later."""
    bits = exponents[0]
    leap, doubled = np.eye(bits, dtype=np.int64), np.eye(bits, k=1, dtype=np.int64)
    doubled[-1, [0, *exponents[1:]]] = 1  # of one step; then of two, four, ...
    while steps:
        if steps & 1:
            leap = doubled @ leap % 2
        doubled = doubled @ doubled % 2
        steps >>= 1
    return leap


def _words(bits: np.ndarray, source: RandomSourceParams) -> np.ndarray:
    """Words from each place, before inversion."""
    if not source.plateau:
        return _windows(bits, source.width)
    longer = _windows(bits, source.width + 1)
    return longer & 2**source.width - 1 ^ np.isin(longer, (0, 2 ** (source.width + 1) - 1))


def _windows(bits: np.ndarray, width: int) -> np.ndarray:
    """Integers of ``width`` consecutive bits from each place, the first bit the lowest."""
    window, known = bits, 1
    while known < width:
        more = min(known, width - known)  # each pass doubles the bits
        window = window[:-more] | window[more:] >> known - more << known
        known += more
    return window


class SteppingSource:
    """Step-by-step model of a source: a state, a toggle, and a step.

    Parameters
    ----------
    source : RandomSourceParams
        The source.
    """

    def __init__(self, source: RandomSourceParams):
        self.source = instance("source", source, RandomSourceParams)
        self.state, self.odd = _seed(source), 0
        self.start = self._after(self.state, self.odd)

    def words(self) -> list[int]:
        """Current words of all lanes."""
        return [self._word(lane) for lane in range(self.source.lanes)]

    def step(self, row: bool = False) -> None:
        """Advance to the next words or, if ``row`` is set, to the first words of the next row."""
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
        if source.plateau and len({*[*state, _next_bit(source, state)][: source.width + 1]}) == 1:
            word ^= 1
        inverted = source.inverts(lane) ^ (source.alternates and self.odd)
        return word ^ (2**source.width - 1 if inverted else 0)

    def _after(self, state: list[int], odd: int) -> tuple[list[int], int]:
        return [*state[1:], _next_bit(self.source, state)], 1 - odd


def _seed(source: RandomSourceParams) -> list[int]:
    return [source.seed >> n & 1 for n in range(source.bits)]


def _next_bit(source: RandomSourceParams, state: list[int]) -> int:
    """The bit after a state: the sum modulo 2 of the tapped bits, including the polynomial's constant term."""
    bit = (state[0] + sum(state[tap] for tap in source.exponents[1:])) % 2
    if source.polarity == "uniform" and not any(state[1:]):
        return 1 - bit
    return bit


def _extended(source: RandomSourceParams, state: list[int], count: int) -> np.ndarray:
    """``count`` bits that start with a state.

    The bits of a linear sequence are computed in blocks: squaring a polynomial over GF(2) doubles its exponents, so
    many known bits give many more at once.
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


LEGAL = {field.name: field.metadata["legal"] for field in attrs.fields(NeighborParams)}


def neighbor_words(data: Any, *, width: int, neighbors: int = 1) -> np.ndarray:
    """Random words of all lanes, taken from the data of neighboring lanes.

    Parameters
    ----------
    data : array of int, shape (..., lanes)
        Low-order bits of the lanes' data, ``width`` bits each.
    width : int
        Width of a word in bits.
    neighbors : int
        Number of following lanes whose data a lane XORs; the bits of every second neighbor are reversed.

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
    reversed_bits = sum((data >> bit & 1) << width - 1 - bit for bit in range(width))
    words = np.zeros(data.shape, np.int64)
    for k in range(1, neighbors + 1):
        words ^= np.roll(data if k % 2 else reversed_bits, -k, axis=-1)
    return words
