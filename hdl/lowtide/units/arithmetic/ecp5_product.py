"""Registered product for a multiplier of an ECP5, with the register in the block."""

from amaranth.hdl import Module, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["Ecp5Product"]


class Ecp5Product(Unit):
    """Registered product: ``o = x * y``, one cycle later.

    Yosys maps a product to a ``MULT18X18D``, but leaves its register outside. As a module of its own, the product and
    its register are replaced together: by ``lowtide/synthesis/ecp5_product.v``, which the reports and the boards map.
    Without this map the module is synthesized as any other, in any family.

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
