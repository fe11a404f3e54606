"""Random words of stochastic rounding, for all panels of an operand at once."""

import functools

import attrs
import numpy as np

from lowtide.engine.seeds import ROUNDS
from lowtide.units.random.params import RandomSourceParams
from lowtide_model.random_source import bits_from

__all__ = ["panel_states", "sequences"]

MOST_TABLE_BITS = 20
"""Most bits of a generator whose whole sequence is kept as a table."""

MARGIN = 64
"""Words at the end of a table that a reader of whole groups may read, and ignores."""


def panel_states(states: np.ndarray, side: str, panels: int, bits: int) -> np.ndarray:
    """States of the panels of operands: `panel_seed` of each state and panel, of shape ``states.shape + (panels,)``."""
    if panels == 1:  # most products: the first panel has the operand's own state
        return states[..., np.newaxis].astype(np.int64)
    states = states.astype(np.uint64)[..., np.newaxis]
    keys = _mixed(np.uint64(_mixed(np.array([ord(side)], np.uint64))[0]) + np.arange(panels, dtype=np.uint64))
    later = 1 + _permuted(states - np.uint64(1), keys, bits)
    return np.where(np.arange(panels) == 0, states, later).astype(np.int64)


def _permuted(places: np.ndarray, keys: np.ndarray, bits: int) -> np.ndarray:
    """The permutation of `lowtide.engine.seeds`, for arrays of places and keys."""
    places, keys = (array.copy() for array in np.broadcast_arrays(places, keys))
    mask, half = np.uint64(2**bits - 1), np.uint64((bits + 1) // 2)
    moving = np.ones(places.shape, bool)
    while moving.any():
        place, word = places[moving], keys[moving]
        for _ in range(ROUNDS):
            word = _mixed(word)
            place = (place + word) * (word >> np.uint64(32) | np.uint64(1)) & mask
            place ^= place >> half
        places[moving] = place
        moving &= places == mask
    return places


def _mixed(words: np.ndarray) -> np.ndarray:
    """SplitMix64 of an array of words."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ words >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ words >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return words ^ words >> np.uint64(31)


def sequences(source: RandomSourceParams, states: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words of generators in given states.

    Parameters
    ----------
    source : RandomSourceParams
        The source, without its seed.
    states : array of int64
        States, any shape.
    count : int
        Words from each state.

    Returns
    -------
    table : array of uint8
        Words without polarity.
    pairs : array of uint8
        Each word of the table, and then its inverse.
    starts : array of int64, shape of ``states``
        Place of the first word of each state in the table; ``count`` consecutive words belong to the state.
    """
    if source.bits <= MOST_TABLE_BITS:
        source, extra = attrs.evolve(source, seed=1), count + -count % 4096
        table, places = _period(source, extra)
        return table, _period_pairs(source, extra), places[states]
    flat = states.ravel()
    bits = np.empty((count + _window(source) - 1, flat.size), np.uint8)
    for place in range(min(source.bits, len(bits))):
        bits[place] = flat >> place & 1
    for place in range(source.bits, len(bits)):
        origin = place - source.bits
        bits[place] = bits[origin]
        for tap in source.exponents[1:]:
            bits[place] ^= bits[origin + tap]
    table = np.append(_words(bits, source).T.reshape(-1), np.zeros(MARGIN, np.uint8))
    return table, _pairs(table, source.width), (np.arange(flat.size) * count).reshape(states.shape)


@functools.lru_cache(maxsize=8)
def _period(source: RandomSourceParams, extra: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of a whole period and ``extra`` more, and the place of each state in it."""
    bits = bits_from(source, 0, source.states)
    bits = bits[np.arange(source.states + extra + MARGIN + source.bits) % source.states]
    state = np.zeros(source.states, np.int64)
    for place in range(source.bits):
        state |= bits[place : place + source.states].astype(np.int64) << place
    places = np.zeros(2**source.bits, np.int64)
    places[state] = np.arange(source.states)
    return _words(bits, source), places


@functools.lru_cache(maxsize=8)
def _period_pairs(source: RandomSourceParams, extra: int) -> np.ndarray:
    return _pairs(_period(source, extra)[0], source.width)


def _pairs(table: np.ndarray, width: int) -> np.ndarray:
    """Each word and its inverse, one after the other."""
    return np.stack([table, table ^ np.uint8(2**width - 1)], -1).reshape(-1)


def _window(source: RandomSourceParams) -> int:
    """Consecutive bits that determine a word."""
    return source.width + source.plateau


def _words(bits: np.ndarray, source: RandomSourceParams) -> np.ndarray:
    """Words of consecutive bits along the first axis."""
    count = len(bits) - _window(source) + 1
    words = np.zeros((count, *bits.shape[1:]), np.uint8)
    for place in range(source.width):
        words |= bits[place : place + count] << np.uint8(place)
    if source.plateau:
        ones = sum(bits[place : place + count] for place in range(source.width + 1))
        words ^= (ones == 0) | (ones == source.width + 1)
    return words
