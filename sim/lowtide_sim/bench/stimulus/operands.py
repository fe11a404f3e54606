"""Random operands of single units: FP32 numbers for converters, groups for multiply-accumulates."""

import random
from collections.abc import Sequence

import numpy as np

__all__ = ["SPECIAL", "block_word", "random_bits", "random_block"]

# Signed zeros, subnormal numbers, the smallest and largest normal numbers, infinities, and NaNs of several payloads.
SPECIAL = [
    *(0x00000000, 0x80000000, 0x00000001, 0x807FFFFF, 0x00400000, 0x00800000, 0x80FFFFFF, 0x7F7FFFFF, 0xFF7FFFFF),
    *(0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFFFFFFF, 0x7F800008, 0x7FA00000),
]


def random_bits(rng: np.random.Generator, groups: int, lanes: int, bias: int) -> np.ndarray:
    """Groups of FP32 numbers as bits: inside, below and above the exponent window of a bias."""
    exponents = rng.integers(-16, 12, (groups, 1)) + rng.integers(-7, 1, (groups, lanes))
    with np.errstate(over="ignore", under="ignore"):
        x = rng.standard_normal((groups, lanes)) * np.exp2(np.clip(bias + 3, -126, 126) + exponents)
        bits = x.astype(np.float32).view(np.uint32)
    # Short significands give ties; long significands with a gap give near ties.
    bits &= rng.choice(np.array([0xFFFFFFFF, 0xFF800000, 0xFFE00000, 0xFFF80000, 0xFFFC0001], np.uint32), bits.shape)
    special = (rng.random((groups, 1)) < 0.3) & (rng.random(bits.shape) < 0.3)
    bits = np.where(special, rng.choice(np.array(SPECIAL, np.uint32), bits.shape), bits)
    return np.where(rng.random((groups, 1)) < 0.05, bits & np.uint32(1 << 31), bits)


def random_block(rng: random.Random, lanes: int, magnitude: int) -> list[int]:
    """Signed elements: random, sparse, the largest, zeros, or a single element of magnitude 1."""
    top, kind = 2**magnitude - 1, rng.random()
    if kind < 0.1:
        return [rng.choice((-top, top))] * lanes
    if kind < 0.2:
        return [0] * (lanes - 1) + [rng.choice((-1, 0, 1))]
    density = rng.choice((0.2, 1))
    return [rng.randint(-top, top) if rng.random() < density else 0 for _ in range(lanes)]


def block_word(block: Sequence[int], exponent: int, magnitude: int) -> int:
    """Pack elements and their exponent field as a `ChunkLayout`: sign above magnitude, the first element lowest."""
    lanes = (abs(x) | int(x < 0) << magnitude for x in block)
    word = sum(lane << n * (magnitude + 1) for n, lane in enumerate(lanes))
    return word | exponent << len(block) * (magnitude + 1)
