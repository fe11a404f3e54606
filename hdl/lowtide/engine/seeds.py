"""Seeds: derives the generator states of both operands from one 64-bit seed."""

from lowtide.formats.parameter import choice, whole_number

__all__ = ["SEEDS", "operand_seed", "panel_seed"]

SEEDS = range(2**64)
"""Legal seeds."""

ROUNDS = 4
WORD = 2**64 - 1


def operand_seed(seed: int, side: str, bits: int) -> int:
    """Return the initial generator state of an operand for a product's seed: from 1 to ``2**bits - 1``.

    Two neighboring seeds never give an operand the same state. Any ``2**bits - 1`` consecutive seeds that start at a
    multiple of that number give each state once. Over many seeds, the states of A and B are as independent as random
    states. A 2-bit generator has only three states, and three pairs of states, which is too few for independence.

    Parameters
    ----------
    seed : int
        Any of `SEEDS`.
    side : str
        ``a`` or ``b``.
    bits : int
        Width of the generator in bits, `EngineParams.lfsr_bits`.

    Raises
    ------
    IllegalValue
        If the seed or the side is not legal.
    """
    states, key = 2**bits - 1, _key(side)
    round_, place = divmod(whole_number("seed", seed, SEEDS), states)
    # Even, and less than states - 1: the last seed of a round and the first seed of the next have different states.
    offset = 2 * (_mixed(key ^ round_) % ((states - 1) // 2))
    return 1 + _permuted((place + offset) % states, key, bits)


def panel_seed(state: int, side: str, panel: int, bits: int) -> int:
    """Return the state for a panel of a split operand: the operand's own state for panel 0, else another."""
    if panel == 0:
        return state
    return 1 + _permuted(state - 1, _mixed(_key(side) + panel), bits)


def _key(side: str) -> int:
    return _mixed(ord(choice("side", side, ("a", "b"))))


def _permuted(place: int, key: int, bits: int) -> int:
    """Permute a number among ``2**bits - 1`` by a permutation that the key selects.

    Each step permutes all numbers of ``bits`` bits. If the result is the largest of them, which is out of range, the
    function permutes again.
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
    """SplitMix64: mixes a 64-bit word so that each bit depends on every bit of the input."""
    word = (word + 0x9E3779B97F4A7C15) & WORD
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31
