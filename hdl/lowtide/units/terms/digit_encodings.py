"""Digit encodings of a magnitude: plain binary, radix-4 Booth, HESE."""

from amaranth.hdl import C, Cat, Module, Signal, Value

__all__ = ["binary_digits", "booth_digits", "hese_digits"]


def binary_digits(_m: Module, n: Value) -> tuple[Value, Value]:
    """Digits ``n[i]``, none of them negative; the one above the bits is always 0."""
    return Cat(n, C(0, 1)), C(0, len(n) + 1)


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


def hese_digits(m: Module, n: Value) -> tuple[Value, Value]:
    """Digits where ``3 n`` differs from ``n``, a place down; a term is negative if ``n`` has the bit above it.

    With ``h = n >> 1``, ``3 n >> 1`` is ``n + h``: the lowest bit carries nothing. A carry out of a bit is the mode of
    the serial form.
    """
    width = len(n)
    half = Signal(width + 1)
    half_triple = Signal(width + 1)
    m.d.comb += [half.eq(n[1:]), half_triple.eq(n + half)]
    return half_triple ^ half, Cat(n[1:], C(0, 2))
