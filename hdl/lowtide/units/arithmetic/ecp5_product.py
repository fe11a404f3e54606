"""Products for a multiplier of an ECP5, with their registers in the block."""

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["Ecp5Product", "Ecp5RegisteredProduct"]


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


class Ecp5RegisteredProduct(Unit):
    """Product of registered factors: ``o = x * y``, two cycles later.

    As `Ecp5Product`, with an unsigned ``y`` and with registers of the factors, which are in the block as well.

    Members
    -------
    x, y : In(signed(18)), In(18)
        Factors.
    o : Out(signed(36))
        Product, two cycles later.
    """

    module_name = "ecp5_registered_product"
    latency = 2

    def __init__(self):
        super().__init__({"x": In(signed(18)), "y": In(unsigned(18)), "o": Out(signed(36))})

    def elaborate(self, platform):
        m = Module()
        product = delayed(m, self.x) * delayed(m, self.y)
        m.d.comb += self.o.eq(delayed(m, product[:36].as_signed()))
        return m
