"""Reader: what a converter needs to know of one number."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["Fp32Unpacker"]


class Fp32Unpacker(Unit):
    """Finds how deep below the top of the window of exponents a number lies, and the bits of it that matter.

    ``depth = top - exponent field``. Zeros, subnormal numbers, NaNs and what is too deep to leave a bit have a depth
    of all ones. All that it gives comes ``latency`` cycles of ``enable`` after the number.

    The window's place is known beforehand, so that from here on a few bits stand for an exponent of eight.

    Parameters
    ----------
    params : ConverterParams
        The converter that it is for.

    Members
    -------
    enable : In(1)
        Registers take what comes.
    i : In(FP32)
        Number.
    top : In(9)
        Exponent field of the window's top, steady.
    depth : Out(params.depth)
        Its depth; not to be used if the number is ``above``.
    above : Out(1)
        It lies above the window.
    largest : Out(1)
        Its magnitude is the largest there is: it lies above the window or is infinite.
    fraction : Out(params.fraction)
        The first bits of its significand behind the leading one. For ``nearest_even`` the last of them is sticky.
    sign : Out(1)
        Its sign.
    nonfinite : Out(1)
        It is NaN or infinite.

    Attributes
    ----------
    latency : int
        Cycles from the number to all the rest.
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

        # Registers hold wide conditions in parts, so that neither cycle has logic of many levels, which costs more.
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
