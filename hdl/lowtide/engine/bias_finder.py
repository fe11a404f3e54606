"""Bias finder: finds the exponent bias that puts the largest number of a tensor into the largest code."""

from amaranth.hdl import Const, Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS, FP32, SPECIAL
from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["BiasFinder"]


class BiasFinder(Unit):
    """Bias finder: finds the bias with which the largest exponent of a tensor has the largest code.

    Without any exponent, the bias is 0. Zeros, subnormal numbers and NaNs have no exponent. The exponent of infinity is
    128.

    Parameters
    ----------
    numbers : int
        Numbers per beat.
    exponent : int
        Width of an exponent code in bits, ``e``.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of a tensor.
    take : In(1)
        High with each beat of the tensor.
    i : In(data.ArrayLayout(FP32, numbers))
        Beat.
    bias : Out(signed(9))
        Exponent bias computed from the beats received since the start, ``latency`` cycles after the last beat.
    """

    def __init__(self, numbers: int, exponent: int):
        self.exponent = exponent
        self.levels = (numbers - 1).bit_length()
        self.latency = self.levels + 3
        self.module_name = f"bias_finder_{numbers}_e{exponent}"
        super().__init__(
            {
                "start": In(1),
                "take": In(1),
                "i": In(data.ArrayLayout(FP32, numbers)),
                "bias": Out(signed(9)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        found = []
        for number in self.i:
            nan = (number.exponent == SPECIAL) & number.fraction.any()
            found.append(delayed(m, Mux(nan | ~self.take, 0, number.exponent)))
        while len(found) > 1:
            pairs = zip(found[::2], found[1::2], strict=True)
            found = [delayed(m, Mux(one > other, one, other)) for one, other in pairs]
        largest = Signal(8)
        with m.If(found[0] > largest):
            m.d.sync += largest.eq(found[0])
        with m.If(self.start):
            m.d.sync += largest.eq(0)
        offset = BIAS + 2**self.exponent - 1
        m.d.sync += self.bias.eq(Mux(largest.any(), largest - Const(offset, signed(10)), 0))
        return m
