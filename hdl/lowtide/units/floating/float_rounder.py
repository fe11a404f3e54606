"""Float rounder: rounds a significand and an exponent to a number of a format."""

from amaranth.hdl import Cat, Const, EnableInserter, Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.floating.format import FloatFormat
from lowtide.units.stream.delay import delayed

__all__ = ["FloatRounder"]


class FloatRounder(Unit):
    """Float rounder: rounds the outputs of `LeadingZeroShifter` to a number, to nearest, ties to even.

    A ones' complement must have ones from the last bit of the fraction on, so that it is rounded up.

    A rounded result below the smallest normal number becomes +0; a result above the largest number becomes the largest
    number of its sign. Reset and set of flip-flops do both, one cycle apart, which costs no look-up tables. A zero is
    always +0.

    Parameters
    ----------
    form : FloatFormat
        Format of the number.
    places : int
        Bits of the shift, see `LeadingZeroShifter`.
    exponent : int
        Bits of the exponent.
    above : int
        Places from the exponent's bit of the shifter's input up to the input's highest bit.
    enabled : bool
        Whether a port enables the registers.

    Members
    -------
    enable : In(1)
        The registers load while high, and only these cycles count. Only if ``enabled``.
    sign : In(1)
        Sign of the number.
    significand, inexact, stays : In(form.fraction + 2), In(1), In(places)
        Outputs of `LeadingZeroShifter`.
    exponent : In(exponent)
        Exponent field of the bit that ``above`` refers to.
    o : Out(form.layout)
        Number, ``latency`` cycles later.
    """

    o: data.View

    latency = 3
    """Cycles from the significand to the number."""

    def __init__(self, form: FloatFormat, places: int, exponent: int, above: int, enabled: bool = False):
        self.form, self.above, self.enabled = form, above, enabled
        self.module_name = (
            f"float_rounder_e{form.exponent}m{form.fraction}_{places}_{exponent}_{above}" + "_enabled" * enabled
        )
        super().__init__(
            ({"enable": In(1)} if enabled else {})
            | {
                "sign": In(1),
                "significand": In(form.fraction + 2),
                "inexact": In(1),
                "stays": In(places),
                "exponent": In(exponent),
                "o": Out(form.layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        form = self.form
        dropped, odd = self.significand[0], self.significand[1]
        up = delayed(m, dropped & (odd | self.inexact))
        significand = delayed(m, self.significand[1:])
        minus = Cat(self.stays, Const(1, 1)).as_signed()  # -1 - shift
        less = delayed(m, add(Cat(self.exponent, Const(0, 1)).as_signed(), minus, Const(1, 1)))

        rounded = Signal(form.fraction + len(less))
        above = Cat(Const(0, form.fraction), Const(self.above, 2))
        m.d.comb += rounded.eq(add(Cat(significand[:-1], less), above, up))
        field = rounded[form.fraction :]
        number, sign = Signal(len(rounded) - 1, reset_less=True), Signal(reset_less=True)
        m.d.sync += [number.eq(rounded), sign.eq(delayed(m, self.sign))]
        with m.If(~significand[-1] | (field.as_signed() <= 0)):
            m.d.sync += [number.eq(0), sign.eq(0)]

        # In some FPGA families, a flip-flop's set or reset also defines its power-up value.
        magnitude = Signal(form.width - 1, init=-1, reset_less=True)
        m.d.sync += magnitude.eq(number)
        with m.If(number[form.width - 1 :].any()):
            m.d.sync += magnitude.eq(-1)
        m.d.comb += self.o.eq(Cat(magnitude, delayed(m, sign)))
        return EnableInserter(self.enable)(m) if self.enabled else m
