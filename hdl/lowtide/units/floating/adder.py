"""Floating-point adder: a number and a product of any exponent."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.conversion.leading_zero_shifter import LeadingZeroShifter
from lowtide.units.floating.float_rounder import FloatRounder
from lowtide.units.floating.format import FloatFormat
from lowtide.units.floating.sticky_shift import StickyShift
from lowtide.units.stream.delay import delayed

__all__ = ["FloatAdder"]


class FloatAdder(Unit):
    """Adds a product to a number: ``o = round(c + p)``, to nearest, ties to even.

    ``p = (-1)**p_sign * p_significand * 2**(p_exponent - bias - below)``. Its exponent has no limits, so that nothing
    happens to a product before it is added. The leading one of its significand is the first bit, if it is normalized,
    of ``below + 1``; else the first or the second of ``below + 2``, so that a product of two significands need not
    be shifted.

    There is one path, in which the operand of the smaller exponent is shifted to the right. Exponents alone decide
    which it is, not significands: if ``p`` is not normalized, with ``d = p_exponent - exponent of c``, it is ``c``
    for ``d >= 0``, by ``d``, else ``p``, by ``~d + 1``. So nothing is negated: ``d`` is turned over by its sign, and
    ``p`` lies a place lower from the start. If it is normalized, ``d`` is one less, and ``c`` lies lower.

    A difference may be negative then, but only if its exact value has fewer bits than a result. `LeadingZeroShifter`
    then gives the ones' complement, whose last bit of the fraction and all bits below are ones: rounding up adds the
    one that the ones' complement lacks.

    A shift beyond all bits clears the operand, without a sticky bit: what is so small cannot decide on rounding, as
    the larger operand is no tie.

    Parameters
    ----------
    form : FloatFormat
        Format of ``c`` and ``o``.
    significand : int
        Bits of the product's significand, at most ``form.fraction + 1``.
    exponent : int
        Bits of its exponent, in two's complement.
    normalized : bool
        Whether the first bit of the significand is one, unless the product is zero.

    Members
    -------
    p_exponent : In(signed(exponent))
        Exponent of the product; zero if its significand is.
    p_sign, p_significand : In(1), In(significand)
        The rest of it, a cycle later.
    c : In(form.layout)
        Number, with the exponent.
    o : Out(form.layout)
        Sum, ``latency`` cycles later. See `FloatRounder` for what is too large or too small.
    """

    c: data.View
    o: data.View

    def __init__(self, form: FloatFormat, significand: int, exponent: int, normalized: bool):
        self.form, self.whole = form, 1 if normalized else 2
        kind = "n" if normalized else "u"
        self.module_name = f"float_adder_e{form.exponent}m{form.fraction}_p{significand}{kind}_{exponent}"
        super().__init__(
            {
                "p_sign": In(1),
                "p_exponent": In(signed(exponent)),
                "p_significand": In(significand),
                "c": In(form.layout),
                "o": Out(form.layout),
            }
        )
        # A place above the operands', two below them; and a sign.
        self._shift = LeadingZeroShifter(1 + self.whole + form.fraction + 2 + 1, form.fraction + 2)

    @property
    def latency(self) -> int:
        """Cycles from ``c`` to ``o``."""
        return 4 + self._shift.latency + FloatRounder.latency

    def elaborate(self, platform):
        m = Module()
        fraction, whole = self.form.fraction, self.whole

        # The first cycle: which exponent is larger, by how much. A zero loses its fraction.
        exponent_c = delayed(m, self.c.exponent)
        significand_c = Signal(fraction + 1, reset_less=True)
        m.d.sync += significand_c.eq(Cat(self.c.fraction, 1))
        with m.If(~self.c.exponent.any()):
            m.d.sync += significand_c.eq(0)
        minus = Cat(~self.c.exponent, Const(1, 1)).as_signed()  # -1 - exponent
        d = delayed(m, add(self.p_exponent, minus, Const(1, 1)) if whole == 2 else self.p_exponent + minus)
        exponent_p = delayed(m, self.p_exponent)
        significand_p = Cat(Const(0, fraction + whole - len(self.p_significand)), self.p_significand)
        sign_p, sign_c = self.p_sign, delayed(m, self.c.sign)

        # The second: the larger, and the smaller with as many places below it as it may need.
        is_c = d[-1]
        larger = delayed(m, Mux(is_c, significand_c, significand_p))
        places = (fraction + 3).bit_length()
        amount = Signal(len(d) - 1)
        m.d.comb += amount.eq(d[:-1] ^ is_c.replicate(len(amount)))
        smaller = Signal(whole + fraction + 2, reset_less=True)
        m.d.sync += smaller.eq(Mux(is_c, significand_p << (3 - whole), significand_c << whole))
        with m.If(amount[places:].any()):
            m.d.sync += smaller.eq(0)
        exponent = delayed(m, Mux(is_c, exponent_c, exponent_p[:-1]))
        sign = delayed(m, Mux(is_c, sign_c, sign_p))
        subtracts = delayed(m, sign_c ^ sign_p)

        # The third: the smaller goes down.
        m.submodules.shift = shift = StickyShift(len(smaller), places)
        m.d.comb += [shift.i.eq(smaller), shift.shift.eq(delayed(m, amount[:places]))]
        addend = delayed(m, Cat(shift.o, Const(0, 1)) ^ subtracts.replicate(len(shift.o) + 1))
        larger, subtracts = delayed(m, larger), delayed(m, subtracts)

        # The fourth: the sum, which is negative only after a subtraction.
        total = Signal(len(addend), reset_less=True)
        m.d.sync += total.eq(add(Cat(Const(0, 3), larger, Const(0, 1)), addend, subtracts))
        negative = delayed(m, subtracts) & total[-1]

        # The sticky bit never gets into the result, as no long shift to the left follows a long one to the right.
        rest = Cat(total[1:], negative).as_signed()
        normalizer = place(m, platform, "normalizer", self._shift, enable=Const(1), i=rest)
        sticky = delayed(m, total[0], self._shift.latency)
        after = 2 + self._shift.latency
        rounder = place(
            m,
            platform,
            "rounder",
            FloatRounder(self.form, self._shift.places, len(exponent), whole),
            sign=delayed(m, sign, after) ^ normalizer.sign,
            exponent=delayed(m, exponent, after),
            stays=normalizer.stays,
            significand=normalizer.significand,
            inexact=normalizer.inexact | sticky,
        )
        m.d.comb += self.o.eq(rounder.o)
        return m
