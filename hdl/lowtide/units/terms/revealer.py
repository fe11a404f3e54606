"""Revealer: sum of the largest terms of an integer."""

from amaranth.hdl import Module, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.terms import digits_of_integer, terms_of_integer
from lowtide.netlist import Unit, place
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.digit_value import DigitValue, DigitValueParams
from lowtide.units.terms.signed_encoder import SignedEncoder
from lowtide.units.terms.top_terms import TopTerms, TopTermsParams

__all__ = ["Revealer"]


class Revealer(Unit):
    """Revealer: sums the ``s`` largest terms of an integer in two's complement.

    127 is 128 - 1, and may become 128: a result has one bit more than the number of digits.

    Parameters
    ----------
    width : int
        Bits of the integer.
    encoding : str
        Encoding of the digits, see `EncoderParams`.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(signed(width))
        Integer.
    s : In(range(terms_of_integer(width, encoding) + 1))
        Terms to keep, ``choice`` cycles of ``enable`` after the integer.
    o : Out(signed(digits_of_integer(width, encoding) + 1))
        Sum of the kept terms, ``latency`` cycles of ``enable`` after the integer.

    Attributes
    ----------
    choice : int
        Cycles from the integer to its ``s``.
    latency : int
        Cycles from the integer to the sum.
    """

    choice = SignedEncoder.latency
    latency = choice + 2

    def __init__(self, width: int, encoding: str):
        self.width, self.encoding = width, encoding
        self.module_name = f"revealer_{encoding}_{width}"
        self._digits, self._terms = digits_of_integer(width, encoding), terms_of_integer(width, encoding)
        super().__init__(
            {
                "enable": In(1),
                "i": In(signed(width)),
                "s": In(range(self._terms + 1)),
                "o": Out(signed(self._digits + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        encoder = place(m, platform, "encoder", SignedEncoder(self.width, self.encoding), enable=self.enable, i=self.i)
        params = TopTermsParams(digits=self._digits, terms=self._terms)
        top = place(m, platform, "top_terms", TopTerms(params), nonzero=encoder.nonzero, s=self.s)
        value = place(
            m,
            platform,
            "value",
            DigitValue(DigitValueParams(digits=self._digits)),
            nonzero=delayed(m, top.kept, enable=self.enable),
            negative=delayed(m, encoder.negative, enable=self.enable),
            sign=0,
        )
        m.d.comb += self.o.eq(delayed(m, value.o, enable=self.enable))
        return m
