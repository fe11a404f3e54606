"""Floating-point product, as the input of a floating-point adder."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.floating.format import FloatFormat
from lowtide.units.floating.significand_product import SignificandProduct
from lowtide.units.stream.delay import delayed

__all__ = ["FloatProduct"]


class FloatProduct(wiring.Component):
    """Floating-point product: ``p = a * b``, with an unlimited exponent.

    If the sum's significand is as wide as the product's significand, the product is exact and not normalized: its
    leading one is the first or second bit. Otherwise, the product is normalized and rounded to the sum's bits, to
    nearest, ties to even.

    Parameters
    ----------
    operand : FloatFormat
        Format of the factors.
    form : FloatFormat
        Format of the sum.
    multiplier : str
        Implementation of the product, see `SignificandProduct`.

    Members
    -------
    a, b : In(operand.layout)
        Factors.
    sign : Out(1)
        Sign of the product, ``latency`` cycles later.
    significand : Out(width)
        Significand of the product, ``latency`` cycles later; zero if a factor is zero.
    exponent : Out(signed(exponent_bits))
        Exponent field, in the sum's format, of the significand's first bit if the product is normalized, of its second
        bit otherwise; zero if a factor is zero. It is valid one cycle before the significand.

    Attributes
    ----------
    width : int
        Bits of the significand.
    exponent_bits : int
        Bits of the exponent.
    """

    a: data.View
    b: data.View

    def __init__(self, operand: FloatFormat, form: FloatFormat, multiplier: str):
        self.operand, self.form = operand, form
        self._product = SignificandProduct(operand.fraction + 1, multiplier)
        self.width = form.fraction + 1 if self.rounds else 2 * (operand.fraction + 1)
        smallest, largest = self._constant + 2, self._constant + 2 * (2**operand.exponent - 1)
        self.exponent_bits = 1 + max(largest + 2, -smallest, 2**form.exponent).bit_length()
        super().__init__(
            {
                "a": In(operand.layout),
                "b": In(operand.layout),
                "sign": Out(1),
                "significand": Out(self.width),
                "exponent": Out(signed(self.exponent_bits)),
            }
        )

    @property
    def rounds(self) -> bool:
        """Whether the product is rounded, and so normalized."""
        return 2 * (self.operand.fraction + 1) > self.form.fraction + 1

    @property
    def latency(self) -> int:
        """Cycles from the factors to the product's significand."""
        registered = self._product.latency + 1
        return registered + 3 if self.rounds else max(registered, 3)

    @property
    def _constant(self) -> int:
        """Product's exponent field minus the sum of the factors' exponent fields."""
        return self.form.bias - 2 * self.operand.bias

    def elaborate(self, platform):
        m = Module()
        m.submodules.product = product = self._product
        zero = delayed(m, ~self.a.exponent.any() | ~self.b.exponent.any(), 1)
        m.d.comb += [
            product.a.eq(Cat(self.a.fraction, 1)),
            product.b.eq(Cat(self.b.fraction, 1)),
            self.sign.eq(delayed(m, self.a.sign ^ self.b.sign, self.latency)),
        ]
        total = delayed(m, add(self.a.exponent, self.b.exponent, Const(1, 1)))
        (self._rounded if self.rounds else self._exact)(m, product.o, total, zero)
        return m

    def _exact(self, m: Module, product: Value, total: Value, zero: Value) -> None:
        early = self.latency - 1 - self._product.latency
        exponent = Signal.like(self.exponent, reset_less=True)
        significand = Signal.like(self.significand, reset_less=True)
        zero = delayed(m, zero, self.latency - 3)
        m.d.sync += [
            exponent.eq(plus(delayed(m, total, self.latency - 3), self._constant - 1)),
            significand.eq(delayed(m, product, early)),
        ]
        with m.If(zero):
            m.d.sync += exponent.eq(0)
        with m.If(delayed(m, zero)):
            m.d.sync += significand.eq(0)
        m.d.comb += [self.exponent.eq(exponent), self.significand.eq(significand)]

    def _rounded(self, m: Module, product: Value, total: Value, zero: Value) -> None:
        """Normalize, decide, and round, in one cycle each, after the product's cycle."""
        bits = self.form.fraction + 1
        before = self.latency - 3
        product = delayed(m, product, before - self._product.latency)
        below = max(bits + 2 - len(product), 0)  # only if the operand is hardly wider than the sum
        product = Cat(Const(0, below), product)
        top = product[-1]
        moved = Mux(top, product[-bits - 1 :], product[-bits - 2 : -1])
        rest = product[: -bits - 2].any() | (top & product[-bits - 2])
        moved, rest, top = delayed(m, moved), delayed(m, rest), delayed(m, top)
        exponent = delayed(m, plus(delayed(m, total, before - 1), self._constant - 1))
        up = moved[0] & (moved[1] | rest)
        whole = Signal(self.form.fraction + len(self.exponent))
        m.d.comb += whole.eq(add(Cat(moved[1:-1], exponent), Cat(Const(0, self.form.fraction), top), up))
        number = Signal.like(whole, reset_less=True)
        m.d.sync += number.eq(whole)
        with m.If(delayed(m, zero, self.latency - 3)):
            m.d.sync += number.eq(0)
        nonzero = ~delayed(m, zero, self.latency - 2)
        fraction, exponent = number[: self.form.fraction], number[self.form.fraction :]
        m.d.comb += [
            self.exponent.eq(exponent),
            self.significand.eq(delayed(m, Cat(fraction, nonzero))),
        ]


def plus(value: Value, constant: int) -> Value:
    """Return the signed sum of an unsigned value and a constant, without an adder below the constant's lowest one."""
    low = (constant & -constant).bit_length() - 1 if constant else 0
    upper = Cat(value[low:], Const(0, 1)).as_signed() + (constant >> low)
    return Cat(value[:low], upper).as_signed()
