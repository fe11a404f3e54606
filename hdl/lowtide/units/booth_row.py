"""Booth row: a multiple of a factor, as a radix-4 Booth digit of another says."""

from amaranth.hdl import Cat, Const, Value

__all__ = ["booth_row"]


def booth_row(a: Value, bits: Value) -> Value:
    """A Booth digit's multiple of ``a``; where the digit is negative, less 1.

    The digit is ``bits[0] + bits[1] - 2 * bits[2]``.
    """
    width = len(a) + 1
    one = bits[0] ^ bits[1]
    two = (bits[0] & bits[1] & ~bits[2]) | (~bits[0] & ~bits[1] & bits[2])
    once, twice = Cat(a, a[-1]), Cat(Const(0, 1), a)
    multiple = (once & one.replicate(width)) | (twice & two.replicate(width))
    return (multiple ^ bits[2].replicate(width)).as_signed()
