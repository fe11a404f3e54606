"""An accumulator in FP32, in Python's integers: the definition, one number at a time."""

import random

__all__ = ["accumulators", "to_bits"]

INFINITE = 255 << 23


def to_bits(acc, scale):
    """The bits of ``acc * 2**scale`` in FP32, whether it overflowed, and whether it underflowed."""
    if acc == 0:
        return 0, False, False
    sign, magnitude = int(acc < 0), abs(acc)
    exponent = magnitude.bit_length() - 24  # of the significand's lowest bit, in units of the accumulator's
    if exponent <= 0:
        significand = magnitude << -exponent
    else:
        significand, rest = divmod(magnitude, 1 << exponent)
        beyond = 2 * rest - (1 << exponent)
        significand += beyond > 0 or (beyond == 0 and significand % 2)
    if significand == 1 << 24:
        significand, exponent = significand >> 1, exponent + 1
    field = exponent + scale + 23 + 127
    if field >= 255:
        return sign << 31 | INFINITE, True, False
    if field <= 0:
        return 0, False, True
    return sign << 31 | field << 23 | significand - (1 << 23), False, False


def accumulators(width, seed, count):
    """Directed accumulators of a width with scales, ``count`` random ones among them, in random order."""
    rng = random.Random(seed)
    top = width - 1
    values = [0, -(1 << top), (1 << top) - 1]
    for n in range(top):
        values += [sign * ((1 << n) + more) for sign in (1, -1) for more in (-2, -1, 0, 1, 2)]
    for n in range(25, top + 1):
        # Ties, and just beside them, with an even and an odd last bit, and the significand that carries over.
        for significand in (rng.getrandbits(22) << 1 | 1 << 23, rng.getrandbits(22) << 1 | 1 << 23 | 1, (1 << 24) - 1):
            tie = (2 * significand + 1) << n - 25
            values += [sign * (tie + more) for sign in (1, -1) for more in (-1, 0, 1)]
    values += [rng.choice((1, -1)) * rng.getrandbits(rng.randint(1, top)) for _ in range(count)]
    cases = []
    for acc in values:
        if -(1 << top) <= acc < 1 << top:
            size = abs(acc).bit_length()
            edges = [128 - size, 127 - size, 129 - size, -126 - size, -125 - size, -127 - size]
            cases += [(acc, 0), (acc, rng.choice(edges)), (acc, rng.choice((-512, 511, rng.randint(-512, 511))))]
    rng.shuffle(cases)
    return cases
