"""Multiplier: a signed integer times an unsigned one, in DSP blocks or by adders."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["PRODUCTS", "Multiplier", "booth_row"]

PRODUCTS = ("inferred", "adders")

PIECE = 17
"""Bits of an unsigned factor that a DSP block takes, of 18 signed ones."""


class Multiplier(Unit):
    """Gives ``o = i * by``. Every sum is registered, since two in a row become a slow compressor in synthesis.

    ============ =====================================================================================
    ``inferred`` products of 17 bits of ``i`` at a time, each of which synthesis puts into a DSP block
    ``adders``   ``i`` or nothing for each bit of ``by``: without DSP blocks smaller and faster
    ============ =====================================================================================

    Parameters
    ----------
    width : int
        Bits of the signed factor.
    bits : int
        Bits of the unsigned one.
    product : str
        One of the above.

    Members
    -------
    enable : In(1)
        Registers take what comes.
    i : In(signed(width))
        Factor.
    by : In(bits)
        Factor.
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
        """The sum of words of which each is so many places above the one before it."""
        while len(words) > 1:
            sums = [self._register(m, _above(*pair, places)) for pair in zip(words[::2], words[1::2], strict=False)]
            words = sums + ([self._register(m, words[-1])] if len(words) % 2 else [])
            places *= 2
        return words[0]

    def _register(self, m: Module, value: Value) -> Value:
        return delayed(m, value, enable=self.enable)


def _above(x: Value, y: Value, places: int) -> Value:
    """Give ``x + y * 2**places`` for a signed ``y``, or for two words that are not."""
    upper = x[places:].as_signed() if x.shape().signed else x[places:]
    total = Cat(x[:places], upper + y)
    return total.as_signed() if y.shape().signed else total


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
