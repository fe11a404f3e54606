"""Seeds: from one number of 64 bits to the states with which the generators of both operands start."""

from lowtide.formats.parameter import choice, whole_number

__all__ = ["SEEDS", "operand_seed", "panel_seed"]

SEEDS = range(2**64)
"""What a user may give as a seed."""

ROUNDS = 4
WORD = 2**64 - 1


def operand_seed(seed: int, side: str, bits: int) -> int:
    """The state of an operand's generator for a product with this seed: from 1 to ``2**bits - 1``.

    Neighboring seeds never give an operand the same state, and any ``2**bits - 1`` seeds from a multiple of that number
    on give it every state once. Over seeds, the states of A and B are as unrelated as random ones. A generator of two
    bits has three states, and three pairs of them: too few for that.

    Parameters
    ----------
    seed : int
        Any of `SEEDS`.
    side : str
        ``a`` or ``b``.
    bits : int
        Bits of the generator, `EngineParams.generator`.

    Raises
    ------
    IllegalValue
        If the seed is none of these, or there is no such side.
    """
    states, key = 2**bits - 1, _key(side)
    round_, place = divmod(whole_number("seed", seed, SEEDS), states)
    # Even, and less than states - 1: the last seed of a round and the first of the next differ in their states.
    offset = 2 * (_mixed(key ^ round_) % ((states - 1) // 2))
    return 1 + _permuted((place + offset) % states, key, bits)


def panel_seed(state: int, side: str, panel: int, bits: int) -> int:
    """The state for a panel of an operand that is cut: for panel 0 the operand's own, for each other one another."""
    if panel == 0:
        return state
    return 1 + _permuted(state - 1, _mixed(_key(side) + panel), bits)


def _key(side: str) -> int:
    return _mixed(ord(choice("side", side, ("a", "b"))))


def _permuted(place: int, key: int, bits: int) -> int:
    """A place among ``2**bits - 1``, exchanged for another one by a permutation that the key chooses.

    Each step permutes all numbers of so many bits. Where the last of them, which is no place, comes out, it is permuted
    again.
    """
    mask = 2**bits - 1
    while True:
        word = key
        for _ in range(ROUNDS):
            word = _mixed(word)
            place = (place + word) * (word >> 32 | 1) & mask
            place ^= place >> (bits + 1) // 2
        if place != mask:
            return place


def _mixed(word: int) -> int:
    """SplitMix64: a word of 64 bits, each of which depends on all bits of another word."""
    word = (word + 0x9E3779B97F4A7C15) & WORD
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31
