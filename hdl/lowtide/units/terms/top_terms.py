"""Top terms: selects the s largest terms of a value."""

import attrs
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit
from lowtide.units.terms.first_k_ones import first_k_ones

__all__ = ["TopTerms", "TopTermsParams"]


@attrs.frozen(kw_only=True)
class TopTermsParams:
    """Parameters of a selector of a value's terms.

    Parameters
    ----------
    digits : int
        Digits of a value.
    terms : int
        Largest number of terms to keep, ``s``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or ``terms`` exceeds ``digits``.
    """

    digits: int = parameter(8, range(1, 18), "digits of a value")
    terms: int = parameter(4, range(1, 18), "largest number of terms to keep, s")

    def __attrs_post_init__(self):
        if self.terms > self.digits:
            raise IllegalValue("terms", f"from 1 to {self.digits} (no more than digits = {self.digits})", self.terms)


class TopTerms(Unit):
    """Top terms: keeps the ``s`` largest terms of a value, or all terms if there are fewer.

    ``kept[i] = nonzero[i]`` if fewer than s of the digits above i are terms, otherwise 0. Signs have no effect.

    Combinational. Source: Kung, McDanel and Zhang, Term Revealing, SC20, arXiv 2007.06389.

    Parameters
    ----------
    params : TopTermsParams
        Digits and terms.

    Members
    -------
    nonzero : In(digits)
        Which digits are terms.
    s : In(range(terms + 1))
        Number of terms to keep.
    kept : Out(digits)
        Which digits are kept terms.
    """

    def __init__(self, params: TopTermsParams):
        self.params = params
        self.module_name = f"top_terms_{params.digits}_s{params.terms}"
        super().__init__({"nonzero": In(params.digits), "s": In(range(params.terms + 1)), "kept": Out(params.digits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.kept.eq(first_k_ones(m, platform, self.nonzero[::-1], self.s)[::-1])
        return m
