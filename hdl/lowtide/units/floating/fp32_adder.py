"""FP32 adder: adds two FP32 numbers, with infinities and NaNs, and applies ReLU to the sum."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32, SPECIAL
from lowtide.netlist import Unit, place
from lowtide.units.floating.adder import FloatAdder
from lowtide.units.floating.format import FORMATS
from lowtide.units.stream.delay import delayed

__all__ = ["Fp32Adder"]


class Fp32Adder(Unit):
    """FP32 adder: ``o = round(x + y)``, rounded once to nearest, ties to even; with ReLU, ``o = max(x + y, 0)``.

    Subnormal addends count as zeros. A sum below ``2**-126`` becomes zero, and a zero is always +0. A rounded sum of
    ``2**128`` or more becomes an infinity of its sign. The sum of an infinity and a number, or of two infinities of one
    sign, is that infinity. The sum of opposite infinities, and any sum with a NaN, is the NaN `NAN`. ReLU passes a NaN.

    The `FloatAdder` has no special values, and its range is wide enough for the sum of two numbers: a sum with the
    exponent field `SPECIAL` is an overflow. Flags of the special addends follow the sum and replace it.

    Members
    -------
    enable : In(1)
        The registers load while high.
    relu : In(1)
        High to replace a sum below zero by +0; steady.
    x, y : In(FP32)
        Addends.
    o : Out(FP32)
        Sum, ``latency`` cycles of ``enable`` later.
    """

    x: data.View
    y: data.View
    o: data.View

    def __init__(self):
        self.module_name = "fp32_adder"
        self._adder = FloatAdder(FORMATS["fp32"], significand=24, exponent=9, normalized=True, enabled=True)
        super().__init__({"enable": In(1), "relu": In(1), "x": In(FP32), "y": In(FP32), "o": Out(FP32)})

    @property
    def latency(self) -> int:
        """Cycles from the addends to the sum."""
        return self._adder.latency + 1

    def elaborate(self, platform):
        m = Module()
        x, y = self.x, self.y

        def register(value: Value, cycles: int = 1) -> Value:
            return delayed(m, value, cycles, enable=self.enable)

        significand = Signal(24, reset_less=True)
        with m.If(self.enable):
            m.d.sync += significand.eq(Cat(y.fraction, 1))
            with m.If(~y.exponent.any()):
                m.d.sync += significand.eq(0)
        total = place(
            m,
            platform,
            "adder",
            self._adder,
            enable=self.enable,
            p_exponent=Cat(y.exponent, Const(0, 1)),
            p_sign=register(y.sign),
            p_significand=significand,
            c=x,
        ).o

        # One flag each for a special addend, a fraction, and the sign of an infinity.
        special = [register(addend.exponent == SPECIAL) for addend in (x, y)]
        fraction = [register(addend.fraction.any()) for addend in (x, y)]
        sign = [register(addend.sign) for addend in (x, y)]
        opposite = special[0] & special[1] & (sign[0] ^ sign[1])
        later = self._adder.latency - 1
        nan = register((special[0] & fraction[0]) | (special[1] & fraction[1]) | opposite, later)
        infinite = register(special[0] | special[1], later)
        negative = register(Mux(special[0], sign[0], sign[1]), later)

        o = Signal(FP32, reset_less=True)
        minus, overflow = Signal(), Signal()
        m.d.comb += [
            minus.eq(Mux(infinite, negative & ~nan, total.sign)),
            overflow.eq(infinite | (total.exponent == SPECIAL)),
            self.o.eq(o),
        ]
        # The synchronous reset of its flip-flops clears a field, which costs no look-up tables.
        with m.If(self.enable):
            m.d.sync += [
                o.fraction.eq(total.fraction),
                o.exponent.eq(total.exponent | infinite.replicate(len(o.exponent))),
                o.sign.eq(minus),
            ]
            with m.If(overflow):
                m.d.sync += o.fraction.eq(Cat(Const(0, 22), nan))
            with m.If(self.relu & minus):
                m.d.sync += o.eq(0)
        return m
