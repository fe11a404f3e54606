"""Dot product of two chunks: the products of all lanes and their sum."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp

__all__ = ["DotProduct"]


class DotProduct(wiring.Component):
    """Sums the signed products of all lanes of two chunks, exactly.

    ``o = sum_i (-1)**(a.sign_i ^ b.sign_i) * a.magnitude_i * b.magnitude_i``; the exponent codes are not looked at.
    Source: the fMAC of FAST, arXiv 2110.15456.

    Parameters
    ----------
    bfp : Bfp
        The format of the operands.

    Members
    -------
    a : In(bfp.layout_a)
        Chunk of A.
    b : In(bfp.layout_b)
        Chunk of B.
    o : Out(signed)
        Their dot product, ``latency`` cycles later.
    """

    def __init__(self, bfp: Bfp):
        self._bfp = bfp
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b), "o": Out(signed(self.bound.bit_length() + 1))})

    @property
    def bfp(self) -> Bfp:
        """The format of the operands."""
        return self._bfp

    @property
    def bound(self) -> int:
        """Largest magnitude of the result."""
        return self.bfp.lanes * (2**self.bfp.chunk_a - 1) * (2**self.bfp.chunk_b - 1)

    @property
    def latency(self) -> int:
        """Cycles from ``a`` and ``b`` to ``o``."""
        return 1

    def elaborate(self, platform):
        m = Module()
        products = []
        for a, b in zip(self.a.lane, self.b.lane, strict=True):
            product = a.magnitude * b.magnitude
            products.append(Mux(a.sign ^ b.sign, -product, product))
        o = Signal.like(self.o, reset_less=True)
        m.d.sync += o.eq(sum(products))
        m.d.comb += self.o.eq(o)
        return m
