"""Block floating-point MAC: adds the dot product of two groups to a floating-point number."""

import attrs
from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, legal_text, parameter
from lowtide.netlist import Unit, place
from lowtide.units.floating.adder import FloatAdder
from lowtide.units.floating.block_product import BlockProduct
from lowtide.units.floating.format import FORMATS, FloatFormat

__all__ = ["BlockFloatMac", "BlockFloatMacParams"]


@attrs.frozen(kw_only=True)
class BlockFloatMacParams:
    """Parameters of a block floating-point MAC.

    Parameters
    ----------
    lanes : int
        Numbers in a group.
    magnitude : int
        Bits of a number's magnitude.
    sum : str
        Name of the sum's format.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the sum's significand is narrower than a dot product.
    """

    lanes: int = parameter(16, (4, 8, 16, 32, 64), "numbers in a group")
    magnitude: int = parameter(3, range(1, 5), "bits of a number's magnitude")
    sum: str = parameter("fp32", tuple(FORMATS), "format of the sum, whose significand must fit a dot product")

    def __attrs_post_init__(self):
        bits = (self.lanes * (2**self.magnitude - 1) ** 2).bit_length()
        wide = [name for name, form in FORMATS.items() if form.fraction + 1 >= bits]
        if self.sum not in wide:
            groups = f"lanes = {self.lanes}, magnitude = {self.magnitude}"
            because = f" (its significand must have a dot product's {bits} bits, for {groups})"
            raise IllegalValue("sum", legal_text(wide) + because, self.sum)

    @property
    def sum_format(self) -> FloatFormat:
        """Format of the sum."""
        return FORMATS[self.sum]


class BlockFloatMac(Unit):
    """Block floating-point MAC: adds the dot product of two groups to a floating-point number, one per cycle.

    ``o = round(c + 2**(ea + eb - 2 * 127 - 2 * (magnitude - 1)) * sum_i (-1)**(sa_i ^ sb_i) * Ma_i * Mb_i)``, to
    nearest, ties to even; the dot product is exact. For overflow, underflow, and ``c`` see `FloatMac`. With 3 bits of
    magnitude and 16 lanes, the groups are MSFP-12 (Darvish Rouhani et al., NeurIPS 2020): exponents of 8 bits without
    special values, and significands without hidden ones.

    Parameters
    ----------
    params : BlockFloatMacParams
        Lanes, bits of a magnitude, format of the sum.

    Members
    -------
    a, b : In(ChunkLayout(lanes, magnitude, 2**8 - 1))
        Groups.
    c : In(sum_format.layout)
        Addend, ``latency - sum_latency`` cycles after the groups.
    o : Out(sum_format.layout)
        Sum, ``latency`` cycles after the groups.
    """

    a: data.View
    b: data.View
    c: data.View
    o: data.View

    def __init__(self, params: BlockFloatMacParams):
        self.params = params
        self.module_name = f"block_float_mac_l{params.lanes}_m{params.magnitude}_{params.sum}"
        form = params.sum_format
        self._product = product = BlockProduct(params.lanes, params.magnitude, form)
        layout = product.a.shape()
        super().__init__({"a": In(layout), "b": In(layout), "c": In(form.layout), "o": Out(form.layout)})
        self._adder = FloatAdder(form, product.width, len(product.exponent), normalized=False)

    @property
    def sum_latency(self) -> int:
        """Cycles from ``c`` to ``o``."""
        return self._adder.latency

    @property
    def latency(self) -> int:
        """Cycles from ``a`` and ``b`` to ``o``."""
        return self._product.latency - 1 + self._adder.latency

    def elaborate(self, platform):
        m = Module()
        m.submodules.product = product = self._product
        m.d.comb += [product.a.eq(self.a), product.b.eq(self.b)]
        adder = place(
            m,
            platform,
            "adder",
            self._adder,
            p_sign=product.sign,
            p_exponent=product.exponent,
            p_significand=product.significand,
            c=self.c,
        )
        m.d.comb += self.o.eq(adder.o)
        return m
