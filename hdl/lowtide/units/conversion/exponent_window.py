"""Exponent window: range of exponents and magnitude bits that a converter's settings select."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["ExponentWindow"]


class ExponentWindow(Unit):
    """Exponent window: computes the top of the window and the magnitude mask from a tensor's settings.

    The outputs are registered: they belong to the settings of the cycle before, also during reset.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    bias : In(signed(9))
        Exponent bias ``B`` of the tensor.
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, 1 or more.
    top : Out(9)
        Exponent field of the top code, ``max(B + 2**e - 1 + 127, 0)``; below 0, every number would exceed the window.
    empty : Out(range(max(mantissa, 2)))
        Number of high bits of ``mantissa`` that a magnitude does not use.
    mask : Out(mantissa)
        Bits of ``mantissa`` that a magnitude uses.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"exponent_window_m{params.mantissa}_w{params.chunk}_e{params.exponent}"
        super().__init__(
            {
                "bias": In(signed(9)),
                "chunks": In(range(params.max_chunks + 1)),
                "top": Out(9),
                "empty": Out(range(max(params.mantissa, 2))),
                "mask": Out(params.mantissa),
            }
        )

    def elaborate(self, platform):
        m = Module()
        top = Signal(signed(11))
        m.d.comb += top.eq(self.bias + (self.params.max_code + BIAS))
        mask = Cat(self.chunks > bit // self.params.chunk for bit in range(self.params.mantissa))
        m.d.comb += [
            self.top.eq(delayed(m, Mux(top < 0, 0, top)[:9])),
            self.empty.eq(delayed(m, (self.params.mantissa - self.params.chunk * self.chunks)[: len(self.empty)])),
            self.mask.eq(delayed(m, mask)),
        ]
        return m
