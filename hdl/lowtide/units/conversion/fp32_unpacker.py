"""FP32 unpacker: extracts depth, fraction, and flags of a number for a converter."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["Fp32Unpacker"]


class Fp32Unpacker(Unit):
    """FP32 unpacker: computes a number's depth below the top of the exponent window, its fraction, and flags.

    ``depth = top - exponent field``. Zeros, subnormal numbers, NaNs, and numbers too small to leave a bit have a depth
    of all ones. The outputs are valid ``latency`` cycles of ``enable`` after the number.

    As the window is given, the depth needs only a few of the exponent's eight bits.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(FP32)
        Number.
    top : In(9)
        Exponent field of the window's top; steady.
    depth : Out(params.depth)
        Depth; valid while ``above`` is low.
    above : Out(1)
        High if the number exceeds the window.
    largest : Out(1)
        High if the number has the largest magnitude: it exceeds the window or is infinite.
    fraction : Out(params.fraction)
        Upper bits of the significand below the leading one. For ``nearest_even`` the lowest bit is sticky.
    sign : Out(1)
        Sign.
    nonfinite : Out(1)
        High if the number is NaN or infinite.

    Attributes
    ----------
    latency : int
        Cycles from the number to the outputs.
    """

    latency = 2

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"fp32_unpacker_f{params.fraction}_d{params.depth}" + "_sticky" * params.sticky
        super().__init__(
            {
                "enable": In(1),
                "i": In(FP32),
                "top": In(9),
                "depth": Out(params.depth),
                "above": Out(1),
                "largest": Out(1),
                "fraction": Out(params.fraction),
                "sign": Out(1),
                "nonfinite": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sticky = self.params.sticky
        kept = min(self.params.fraction - sticky, 23)
        exponent = self.i.exponent

        def register(value: Value) -> Value:
            return delayed(m, value, enable=self.enable)

        # Registers split wide conditions, so that neither cycle has many levels of logic, which would cost more.
        distance = Signal(10)
        m.d.comb += distance.eq(self.top - exponent)
        depth = register(distance[: self.params.depth])
        far = register(distance[self.params.depth : 9].any())
        above = register(distance[9])
        some = [register(exponent[:4].any()), register(exponent[4:].any())]
        special = register(exponent.all())
        fraction = register(self.i.fraction[23 - kept :])
        rest = register(self.i.fraction[: 23 - kept].any())

        nan = Signal()
        nothing = Signal()
        m.d.comb += [
            nan.eq(special & (fraction.any() | rest)),
            nothing.eq(~(some[0] | some[1]) | (far & ~above) | nan),
            self.depth.eq(register(Mux(nothing, 2**self.params.depth - 1, depth))),
            self.above.eq(register(above & ~nan)),
            self.largest.eq(register((above | special) & ~nan)),
            self.fraction[-kept:].eq(register(fraction)),
            self.sign.eq(delayed(m, self.i.sign, 2, enable=self.enable)),
            self.nonfinite.eq(register(special)),
        ]
        if sticky:
            m.d.comb += self.fraction[0].eq(register(rest))
        return m
