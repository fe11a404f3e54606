"""Signed encoder: recodes an integer into signed digits."""

from amaranth.hdl import Module, Mux, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.terms import digits_of_integer
from lowtide.netlist import Unit, place
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.encoder import Encoder, EncoderParams

__all__ = ["SignedEncoder"]


class SignedEncoder(Unit):
    """Signed encoder: recodes an integer in two's complement into the digits of its magnitude times its sign.

    ``i = sum_n d[n] * 2**n``; for the digits see `Encoder`. The most negative integer is legal.

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
    nonzero, negative : Out(digits_of_integer(width, encoding))
        Digits, ``latency`` cycles of ``enable`` later: which are terms, and which terms are negative.
    """

    latency = 2

    def __init__(self, width: int, encoding: str):
        self.width, self.encoding = width, encoding
        self.module_name = f"signed_encoder_{encoding}_{width}"
        digits = digits_of_integer(width, encoding)
        super().__init__({"enable": In(1), "i": In(signed(width)), "nonzero": Out(digits), "negative": Out(digits)})

    def elaborate(self, platform):
        m = Module()

        def register(value: Value) -> Value:
            return delayed(m, value, enable=self.enable)

        sign = register(self.i[-1])
        magnitude = register(Mux(self.i[-1], -self.i, self.i)[: self.width])
        encoder = place(
            m, platform, "encoder", Encoder(EncoderParams(width=self.width, encoding=self.encoding)), n=magnitude
        )
        digits = len(self.nonzero)
        m.d.comb += [
            self.nonzero.eq(register(encoder.nonzero[:digits])),
            self.negative.eq(register(encoder.negative[:digits] ^ sign.replicate(digits))),
        ]
        return m
