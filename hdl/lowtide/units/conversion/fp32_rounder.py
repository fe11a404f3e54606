"""FP32 rounder: rounds a significand and an exponent to a number."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32, SPECIAL
from lowtide.netlist import Unit
from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.stream.delay import delayed

__all__ = ["Fp32Rounder"]


class Fp32Rounder(Unit):
    """FP32 rounder: rounds the outputs of `LeadingZeroShifter` to FP32, to nearest, ties to even.

    The significand of a negative integer lacks a one below its lowest bit. Let ``g`` be the first dropped bit. If the
    integer has a one below ``g``, ``g`` alone decides for either sign. Otherwise, the lower bits are zeros for a
    positive integer, and ``g & odd`` decides; for a negative integer they are ones, to which the lacking one is added,
    and ``g | odd`` decides.

    The decision is the carry into the adder that also adds the exponents.

    A rounded result of ``2**128`` or more becomes infinite; a result below ``2**-126`` becomes zero.

    With ``odd``, an inexact result is truncated and its lowest bit is set. Rounding it again, to fewer bits, then gives
    the bits of a single rounding. A carry still completes a negative integer whose dropped bits are all ones.

    Parameters
    ----------
    places : int
        Bits of the shift, see `LeadingZeroShifter`.
    rounds_to_odd : bool
        Whether there is a port ``odd``.

    Members
    -------
    enable : In(1)
        The registers load while high.
    sign, significand, inexact, stays : In(1), In(25), In(1), In(places)
        Outputs of `LeadingZeroShifter`.
    lowest : In(signed(11))
        Exponent field for ``stays = 0``.
    odd : In(1)
        Rounds to odd while high; sampled with the significand. Only with ``rounds_to_odd``.
    o : Out(FP32)
        Number, ``latency`` cycles of ``enable`` later.
    overflow : Out(1)
        High while ``o`` is infinite.
    underflow : Out(1)
        High while ``o`` is zero but the integer is not.
    """

    latency = 4
    """Cycles from the significand to the number."""

    def __init__(self, places: int, rounds_to_odd: bool = False):
        self.places, self.rounds_to_odd = places, rounds_to_odd
        self.module_name = f"fp32_rounder_{places}" + "_odd" * rounds_to_odd
        super().__init__(
            {
                "enable": In(1),
                "sign": In(1),
                "significand": In(25),
                "inexact": In(1),
                "stays": In(places),
                "lowest": In(signed(11)),
                **({"odd": In(1)} if rounds_to_odd else {}),
                "o": Out(FP32),
                "overflow": Out(1),
                "underflow": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        def register(value: Value, cycles: int = 1) -> Value:
            return delayed(m, value, cycles, enable=self.enable)

        dropped, odd = self.significand[0], self.significand[1]
        up, fraction = Mux(self.inexact, dropped, Mux(self.sign, dropped | odd, dropped & odd)), self.significand[1:-1]
        if self.rounds_to_odd:
            up = Mux(self.odd, self.sign & dropped & ~self.inexact, up)
            sets = self.odd & (self.inexact | (dropped ^ self.sign))
            fraction = Cat(fraction[0] | sets, fraction[1:])
        up, fraction, zero = register(up), register(fraction), register(~self.significand[-1])
        fields = Signal(len(fraction) + len(self.lowest))
        base, more = Cat(fraction, register(self.lowest)), Cat(Const(0, len(fraction)), register(self.stays))
        m.d.comb += fields.eq(add(base, more, up))
        rounded, zero = register(fields), register(zero)

        exponent = rounded[len(fraction) :]
        negative, above, field = exponent[10], exponent[8:10].any(), exponent[:8]
        overflow, underflow = Signal(), Signal()
        m.d.comb += [
            overflow.eq(~zero & ~negative & (above | field.all())),
            underflow.eq(~zero & (negative | ~exponent[:10].any())),
        ]
        number, sign = register(rounded), register(self.sign, 3)
        infinite, small = register(overflow), register(underflow)
        vanishes = register(underflow | zero)

        # The synchronous reset of its flip-flops clears a field, which costs no look-up tables.
        o = Signal(FP32, reset_less=True)
        with m.If(self.enable):
            m.d.sync += [
                o.fraction.eq(number[: len(fraction)]),
                o.exponent.eq(Mux(infinite, SPECIAL, number[len(fraction) :])),
                o.sign.eq(sign),
            ]
            with m.If(infinite | vanishes):
                m.d.sync += o.fraction.eq(0)
            with m.If(vanishes):
                m.d.sync += [o.exponent.eq(0), o.sign.eq(0)]
        m.d.comb += [self.o.eq(o), self.overflow.eq(register(infinite)), self.underflow.eq(register(small))]
        return m
