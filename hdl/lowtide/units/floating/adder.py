"""Floating-point adder: adds a product of unlimited exponent to a number."""

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, signed
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
    """Floating-point adder: adds a product to a number, ``o = round(c + p)``, to nearest, ties to even.

    ``p = (-1)**p_sign * p_significand * 2**(p_exponent - bias - below)``. The product's exponent is unlimited, so that
    the product neither overflows nor underflows. If the product is normalized, its significand has ``below + 1`` bits,
    and the first is the leading one. Otherwise, the significand has ``below + 2`` bits, and the first or the second is
    the leading one, so that a product of two significands needs no shift.

    The adder has one path, which shifts the operand of the smaller exponent to the right. Only the exponents decide
    which operand is smaller. If ``p`` is not normalized, with ``d = p_exponent - exponent of c``, ``c`` is shifted by
    ``d`` for ``d >= 0``, otherwise ``p`` by ``~d + 1``. So no negation is needed: ``d`` is inverted by its sign, and
    ``p`` starts one bit lower. If ``p`` is normalized, ``d`` is one less, and ``c`` starts one bit lower.

    So a difference may be negative, but only if its exact value has fewer bits than a result. `LeadingZeroShifter` then
    outputs the ones' complement, which has ones in the last bit of the fraction and in all bits below. Rounding up adds
    the one that the ones' complement lacks.

    A shift beyond all bits clears the operand, without a sticky bit. So small an operand cannot decide the rounding, as
    the larger operand is not a tie.

    Parameters
    ----------
    form : FloatFormat
        Format of ``c`` and ``o``.
    significand : int
        Bits of the product's significand, at most ``form.fraction + 1``.
    exponent : int
        Bits of the product's exponent, in two's complement.
    normalized : bool
        Whether the first bit of the significand is one, unless the product is zero.
    enabled : bool
        Whether a port enables the registers.

    Members
    -------
    enable : In(1)
        The registers load while high, and only these cycles count. Only if ``enabled``.
    p_exponent : In(signed(exponent))
        Exponent of the product; zero if the significand is zero.
    p_sign, p_significand : In(1), In(significand)
        Sign and significand of the product, one cycle after its exponent.
    c : In(form.layout)
        Number, in the cycle of the exponent.
    o : Out(form.layout)
        Sum, ``latency`` cycles later. For overflow and underflow see `FloatRounder`.
    """

    c: data.View
    o: data.View

    def __init__(self, form: FloatFormat, significand: int, exponent: int, normalized: bool, enabled: bool = False):
        self.form, self.whole, self.enabled = form, 1 if normalized else 2, enabled
        kind = "n" if normalized else "u"
        self.module_name = (
            f"float_adder_e{form.exponent}m{form.fraction}_p{significand}{kind}_{exponent}" + "_enabled" * enabled
        )
        super().__init__(
            ({"enable": In(1)} if enabled else {})
            | {
                "p_sign": In(1),
                "p_exponent": In(signed(exponent)),
                "p_significand": In(significand),
                "c": In(form.layout),
                "o": Out(form.layout),
            }
        )
        # One bit above the operands, two bits below, and a sign.
        self._shift = LeadingZeroShifter(1 + self.whole + form.fraction + 2 + 1, form.fraction + 2)

    @property
    def latency(self) -> int:
        """Cycles from ``c`` to ``o``."""
        return 4 + self._shift.latency + FloatRounder.latency

    def elaborate(self, platform):
        m = Module()
        fraction, whole = self.form.fraction, self.whole

        # First cycle: difference of the exponents. The fraction of a zero is cleared.
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

        # Second cycle: the larger operand, and the smaller one with the bits below that it may need.
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

        # Third cycle: shift of the smaller operand.
        m.submodules.shift = shift = StickyShift(len(smaller), places)
        m.d.comb += [shift.i.eq(smaller), shift.shift.eq(delayed(m, amount[:places]))]
        addend = delayed(m, Cat(shift.o, Const(0, 1)) ^ subtracts.replicate(len(shift.o) + 1))
        larger, subtracts = delayed(m, larger), delayed(m, subtracts)

        # Fourth cycle: sum, which is negative only after a subtraction.
        total = Signal(len(addend), reset_less=True)
        m.d.sync += total.eq(add(Cat(Const(0, 3), larger, Const(0, 1)), addend, subtracts))
        negative = delayed(m, subtracts) & total[-1]

        # The sticky bit never reaches the result, because no long left shift follows a long right shift.
        rest = Cat(total[1:], negative).as_signed()
        enable = self.enable if self.enabled else Const(1)
        normalizer = place(m, platform, "normalizer", self._shift, enable=enable, i=rest)
        sticky = delayed(m, total[0], self._shift.latency)
        after = 2 + self._shift.latency
        rounder = place(
            m,
            platform,
            "rounder",
            FloatRounder(self.form, self._shift.places, len(exponent), whole, self.enabled),
            **({"enable": enable} if self.enabled else {}),
            sign=delayed(m, sign, after) ^ normalizer.sign,
            exponent=delayed(m, exponent, after),
            stays=normalizer.stays,
            significand=normalizer.significand,
            inexact=normalizer.inexact | sticky,
        )
        m.d.comb += self.o.eq(rounder.o)
        return EnableInserter(enable)(m) if self.enabled else m
