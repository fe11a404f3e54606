"""FP32 numbers as bits, for converters: near the window of exponents, at its edges, and what is no number."""

import numpy as np

__all__ = ["SPECIAL", "random_bits"]

# Signed zeros, subnormal numbers, the ends of the normal ones, infinities, and NaNs of several payloads.
SPECIAL = [
    *(0x00000000, 0x80000000, 0x00000001, 0x807FFFFF, 0x00400000, 0x00800000, 0x80FFFFFF, 0x7F7FFFFF, 0xFF7FFFFF),
    *(0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFFFFFFF, 0x7F800008, 0x7FA00000),
]


def random_bits(rng: np.random.Generator, groups: int, lanes: int, bias: int) -> np.ndarray:
    """Groups of numbers as bits, within the window of a bias, below it and above."""
    exponents = rng.integers(-16, 12, (groups, 1)) + rng.integers(-7, 1, (groups, lanes))
    with np.errstate(over="ignore", under="ignore"):
        x = rng.standard_normal((groups, lanes)) * np.exp2(np.clip(bias + 3, -126, 126) + exponents)
        bits = x.astype(np.float32).view(np.uint32)
    # Short significands make ties, and long ones with a hole just miss them.
    bits &= rng.choice(np.array([0xFFFFFFFF, 0xFF800000, 0xFFE00000, 0xFFF80000, 0xFFFC0001], np.uint32), bits.shape)
    special = (rng.random((groups, 1)) < 0.3) & (rng.random(bits.shape) < 0.3)
    bits = np.where(special, rng.choice(np.array(SPECIAL, np.uint32), bits.shape), bits)
    return np.where(rng.random((groups, 1)) < 0.05, bits & np.uint32(1 << 31), bits)
