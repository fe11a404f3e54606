"""Block product: dot product of two groups as the input of a floating-point adder."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp, ChunkLayout
from lowtide.units.arithmetic.dot_product import DotProduct
from lowtide.units.floating.format import FloatFormat
from lowtide.units.stream.delay import delayed

__all__ = ["EXPONENT", "BlockProduct"]

EXPONENT = 8
"""Bits of a group's exponent, which has FP32's bias."""


class BlockProduct(wiring.Component):
    """Block product: computes the dot product of two groups as sign, unlimited exponent, and significand.

    ``p = 2**(ea + eb - 2 * 127 - 2 * (magnitude - 1)) * sum_i (-1)**(sa_i ^ sb_i) * Ma_i * Mb_i``, exactly. The unit
    negates a negative integer, and shifts it left by multiples of two bits, so that the leading one is the first or
    second bit.

    Parameters
    ----------
    lanes : int
        Numbers in a group.
    magnitude : int
        Bits of a magnitude.
    form : FloatFormat
        Format of the sum.

    Members
    -------
    a, b : In(ChunkLayout(lanes, magnitude, 2**8 - 1))
        Groups.
    sign : Out(1)
        Sign of the product, ``latency`` cycles later.
    significand : Out(width)
        Significand of the product, ``latency`` cycles later.
    exponent : Out(signed(exponent_bits))
        Exponent field, in the sum's format, of the significand's second bit; zero if the product is zero. It is valid
        one cycle before the significand.

    Attributes
    ----------
    width : int
        Bits of the significand.
    exponent_bits : int
        Bits of the exponent.
    constant : int
        What the groups' exponents lack for the exponent field of the significand's second bit.
    """

    a: data.View
    b: data.View

    def __init__(self, lanes: int, magnitude: int, form: FloatFormat):
        self._dot = DotProduct(Bfp(lanes=lanes, chunk_a=magnitude, chunk_b=magnitude, mantissa=magnitude))
        self.width = self._dot.bound.bit_length()

        self.constant = form.bias - 2 * (2 ** (EXPONENT - 1) - 1) - 2 * (magnitude - 1) + self.width - 2
        largest = self.constant + 2 * (2**EXPONENT - 1)
        self.exponent_bits = 1 + max(largest, self.width - self.constant, 2**form.exponent).bit_length()
        layout = ChunkLayout(lanes, magnitude, 2**EXPONENT - 1)
        super().__init__(
            {
                "a": In(layout),
                "b": In(layout),
                "sign": Out(1),
                "significand": Out(self.width),
                "exponent": Out(signed(self.exponent_bits)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from groups to the significand."""
        return self._dot.latency + 5

    def elaborate(self, platform):
        m = Module()
        m.submodules.dot = dot = self._dot
        m.d.comb += [Value.cast(group.lane).eq(i.lane) for group, i in ((dot.a, self.a), (dot.b, self.b))]

        integer = delayed(m, dot.o)
        negative = integer[-1]
        ones = integer[:-1] ^ negative.replicate(len(integer) - 1)
        word = delayed(m, (Cat(negative, ones) + Cat(negative, Const(0, len(ones))))[1:][: self.width])

        powers = [1 << place for place in range(1, (self.width - 1).bit_length())]
        moves = []
        for power in reversed(powers):
            if power == 2:
                word, moves = delayed(m, word), [delayed(m, move) for move in moves]
            move = Signal(name=f"move_{power}")
            moved = Signal(self.width, name=f"moved_{power}")
            m.d.comb += [move.eq(~word[-power:].any()), moved.eq(Mux(move, word << power, word))]
            word, moves = moved, [move, *moves]
        if not powers:
            word = delayed(m, word)

        exponent = Signal.like(self.exponent, reset_less=True)
        total = delayed(m, delayed(m, self.a.exponent + self.b.exponent) + self.constant + 2, self.latency - 3)
        minus = Cat(Const(0, 1), *(~move for move in moves), Const(1, 1)).as_signed()  # -2 - places
        m.d.sync += exponent.eq(total + minus)
        with m.If(~word[-2:].any()):
            m.d.sync += exponent.eq(0)
        m.d.comb += [
            self.exponent.eq(exponent),
            self.significand.eq(delayed(m, word, 2)),
            self.sign.eq(delayed(m, negative, 4)),
        ]
        return m
