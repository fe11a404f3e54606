"""Multiplier: a signed times an unsigned integer, in DSP blocks or adders."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["PRODUCTS", "Multiplier", "booth_row"]

PRODUCTS = ("inferred", "adders")

PIECE = 17
"""Bits of an unsigned factor of a DSP block, whose signed factors have 18."""


class Multiplier(Unit):
    """Multiplier: ``o = i * by``.

    Every sum is registered, because synthesis merges two consecutive adders into a slow compressor.

    ============ ===============================================================================
    ``inferred`` products of 17 bits of ``i`` each, which synthesis maps to DSP blocks
    ``adders``   one addend of ``i`` or 0 per bit of ``by``: smaller and faster without DSP blocks
    ============ ===============================================================================

    Parameters
    ----------
    width : int
        Bits of the signed factor.
    bits : int
        Bits of the unsigned factor.
    product : str
        ``inferred`` or ``adders``.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(signed(width))
        Signed factor.
    by : In(bits)
        Unsigned factor.
    o : Out(signed(width + bits))
        Product, ``latency`` cycles of ``enable`` later.

    Attributes
    ----------
    latency : int
        Cycles from the factors to the product.
    """

    def __init__(self, width: int, bits: int, product: str):
        self.width, self.bits, self.product = width, bits, product
        self.module_name = f"multiplier_{product}_{width}x{bits}"
        words = -(-width // PIECE) if product == "inferred" else bits
        self.latency = (words - 1).bit_length() + (2 if product == "inferred" else words == 1)
        super().__init__(
            {"enable": In(1), "i": In(signed(width)), "by": In(bits), "o": Out(signed(width + bits))},
        )

    def elaborate(self, platform):
        m = Module()
        if self.product == "inferred":
            i, by = self._register(m, self.i), self._register(m, self.by)
            lows = range(0, self.width, PIECE)
            pieces = [i[low : low + PIECE] for low in lows[:-1]] + [i[lows[-1] :].as_signed()]
            total = self._sum(m, [self._register(m, piece * by) for piece in pieces], PIECE)
        else:
            words = [Mux(bit, self.i, 0) for bit in self.by]
            total = self._sum(m, words if words[1:] else [self._register(m, words[0])], 1)
        m.d.comb += self.o.eq(total)
        return m

    def _sum(self, m: Module, words: Sequence[Value], places: int) -> Value:
        """Return the sum of words, each shifted ``places`` bits to the left of the word before."""
        while len(words) > 1:
            sums = [self._register(m, _above(*pair, places)) for pair in zip(words[::2], words[1::2], strict=False)]
            words = sums + ([self._register(m, words[-1])] if len(words) % 2 else [])
            places *= 2
        return words[0]

    def _register(self, m: Module, value: Value) -> Value:
        return delayed(m, value, enable=self.enable)


def _above(x: Value, y: Value, places: int) -> Value:
    """Return ``x + y * 2**places`` for a signed ``y``, or for two unsigned words."""
    upper = x[places:].as_signed() if x.shape().signed else x[places:]
    total = Cat(x[:places], upper + y)
    return total.as_signed() if y.shape().signed else total


def booth_row(a: Value, bits: Value) -> Value:
    """Return a Booth digit's multiple of ``a``, minus 1 if the digit is negative.

    The digit is ``bits[0] + bits[1] - 2 * bits[2]``.
    """
    width = len(a) + 1
    one = bits[0] ^ bits[1]
    two = (bits[0] & bits[1] & ~bits[2]) | (~bits[0] & ~bits[1] & bits[2])
    once, twice = Cat(a, a[-1]), Cat(Const(0, 1), a)
    multiple = (once & one.replicate(width)) | (twice & two.replicate(width))
    return (multiple ^ bits[2].replicate(width)).as_signed()
