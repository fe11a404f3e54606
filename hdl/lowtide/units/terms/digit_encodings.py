"""Digit encodings of a magnitude: plain binary, radix-4 Booth, HESE."""

from amaranth.hdl import C, Cat, Module, Signal, Value

__all__ = ["binary_digits", "booth_digits", "hese_digits"]


def binary_digits(_m: Module, n: Value) -> tuple[Value, Value]:
    """Return digits ``n[i]``, which are never negative; the digit above the bits is always 0."""
    return Cat(n, C(0, 1)), C(0, len(n) + 1)


def booth_digits(_m: Module, n: Value) -> tuple[Value, Value]:
    """Return digits ``d[j] = n[2j-1] + n[2j] - 2 n[2j+1]`` of weight ``4**j``: at most one term each.

    ``+-1`` is a term at 2j and ``+-2`` a term at 2j + 1. The term is negative if and only if ``n[2j+1]`` is set.
    """
    digits = len(n) + 1
    bits = [C(0, 1), *n, C(0, 1), C(0, 1)]  # from the bit below the lowest
    nonzero, negative = [], []
    for low in range(0, digits, 2):
        below, bit, above = bits[low : low + 3]
        nonzero += [bit ^ below, (above ^ bit) & ~(bit ^ below)]
        negative += [above, above]
    return Cat(nonzero[:digits]), Cat(negative[:digits])


def hese_digits(m: Module, n: Value) -> tuple[Value, Value]:
    """Return digits where ``3 n`` differs from ``n``, shifted down a place; a term is negative if ``n[i+1]`` is set.

    With ``h = n >> 1``, ``3 n >> 1`` is ``n + h``, because the lowest bit does not carry. A carry out of a bit is the
    mode of `SerialHese`.
    """
    width = len(n)
    half = Signal(width + 1)
    half_triple = Signal(width + 1)
    m.d.comb += [half.eq(n[1:]), half_triple.eq(n + half)]
    return half_triple ^ half, Cat(n[1:], C(0, 2))
