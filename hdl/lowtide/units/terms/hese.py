"""HESE, hybrid encoding for shortened expressions: no two neighbours, and no encoding has fewer terms."""

from amaranth.hdl import C, Cat, Module, Signal, Value

__all__ = ["hese_digits"]


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
