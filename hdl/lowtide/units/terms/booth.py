"""Radix-4 Booth: a digit of -2 to 2 for each pair of bits."""

from amaranth.hdl import C, Cat, Module, Value

__all__ = ["booth_digits"]


def booth_digits(_m: Module, n: Value) -> tuple[Value, Value]:
    """Digits ``d[j] = n[2j-1] + n[2j] - 2 n[2j+1]``, which weigh ``4**j``: one term each, or none.

    ``+-1`` is a term at 2j and ``+-2`` one at 2j + 1. Either is negative just if ``n[2j+1]`` is set.
    """
    digits = len(n) + 1
    bits = [C(0, 1), *n, C(0, 1), C(0, 1)]  # from the one below the lowest
    nonzero, negative = [], []
    for low in range(0, digits, 2):
        below, bit, above = bits[low : low + 3]
        nonzero += [bit ^ below, (above ^ bit) & ~(bit ^ below)]
        negative += [above, above]
    return Cat(nonzero[:digits]), Cat(negative[:digits])
