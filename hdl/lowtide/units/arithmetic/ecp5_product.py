"""Registered product for a multiplier of an ECP5, with the register in the block."""

from amaranth.hdl import Module, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["Ecp5Product"]


class Ecp5Product(Unit):
    """Registered product: ``o = x * y``, one cycle later.

    Yosys maps a product to a ``MULT18X18D``, but leaves its register outside. This unit is a separate module, so that
    ``lowtide/synthesis/ecp5_product.v`` can replace the product and the register together. Reports and boards do so;
    without the replacement, any family synthesizes the unit.

    Members
    -------
    x, y : In(signed(18))
        Factors.
    o : Out(signed(36))
        Product, one cycle later.
    """

    module_name = "ecp5_product"
    latency = 1

    def __init__(self):
        super().__init__({"x": In(signed(18)), "y": In(signed(18)), "o": Out(signed(36))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(delayed(m, self.x * self.y))
        return m
