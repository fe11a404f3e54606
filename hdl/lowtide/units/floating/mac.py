"""Floating-point MAC: adds the product of two numbers to a third, the baseline."""

import attrs
from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit, place
from lowtide.units.floating.adder import FloatAdder
from lowtide.units.floating.format import FORMATS, FloatFormat
from lowtide.units.floating.product import FloatProduct
from lowtide.units.floating.significand_product import MULTIPLIERS

__all__ = ["FloatMac", "FloatMacParams"]


@attrs.frozen(kw_only=True)
class FloatMacParams:
    """Parameters of a floating-point MAC.

    Parameters
    ----------
    operand : str
        Name of the factors' format.
    sum : str
        Name of the sum's format.
    multiplier : str
        ``booth``: rows of radix-4 Booth digits; ``inferred``: ``a * b``, which synthesis may map to DSP blocks.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    operand: str = parameter("bf16", tuple(FORMATS), "format of the factors")
    sum: str = parameter("fp32", tuple(FORMATS), "format of the sum")
    multiplier: str = parameter("booth", MULTIPLIERS, "implementation of products of significands")

    @property
    def operand_format(self) -> FloatFormat:
        """Format of the factors."""
        return FORMATS[self.operand]

    @property
    def sum_format(self) -> FloatFormat:
        """Format of the sum."""
        return FORMATS[self.sum]


class FloatMac(Unit):
    """Floating-point MAC: adds the product of two numbers to a third, one per cycle.

    ``o = round(c + a * b)``, to nearest, ties to even. If the sum's significand is as wide as the product's
    significand, the product is exact. Otherwise the product is first rounded to the sum's bits, to nearest, ties to
    even. The product's exponent is unlimited.

    The unit is a baseline with minimal features: no infinities, NaNs, or subnormal numbers, see `FloatFormat`. A
    rounded result below the smallest normal number, and every zero, is +0; a result above the largest number is the
    largest number of its sign. ``c`` is not delayed: it must arrive with the product. If ``o`` is fed back to ``c``,
    ``sum_latency`` reductions interleave, and the unit's own registers store their sums.

    Parameters
    ----------
    params : FloatMacParams
        Formats and multiplier.

    Members
    -------
    a, b : In(operand_format.layout)
        Factors.
    c : In(sum_format.layout)
        Addend, ``latency - sum_latency`` cycles after the factors.
    o : Out(sum_format.layout)
        Sum, ``latency`` cycles after the factors.
    """

    a: data.View
    b: data.View
    c: data.View
    o: data.View

    def __init__(self, params: FloatMacParams):
        self.params = params
        self.module_name = f"float_mac_{params.operand}_{params.sum}_{params.multiplier}"
        operand, form = params.operand_format, params.sum_format
        super().__init__(
            {"a": In(operand.layout), "b": In(operand.layout), "c": In(form.layout), "o": Out(form.layout)}
        )
        self._product = product = FloatProduct(operand, form, params.multiplier)
        self._adder = FloatAdder(form, len(product.significand), len(product.exponent), product.rounds)

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
