"""Aligner in a DSP block of an ECP5."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import FACTOR_BITS, aligner_step
from lowtide.netlist.unit import place
from lowtide.units.arithmetic.ecp5_product import Ecp5RegisteredProduct
from lowtide.units.stream.delay import delayed

__all__ = ["Ecp5Aligner"]


class Ecp5Aligner(wiring.Component):
    """Aligner: shifts a signed value to the left in a DSP block, ``o = i * 2**shift`` modulo ``2**out_width``.

    The block multiplies ``x = i << fine`` by ``y = 1 << coarse``, with ``fine + coarse = shift``. The registers of its
    factors and of its product replace the registers of an `Aligner`. ``y`` has 18 bits. If no shift exceeds 17,
    ``coarse`` is the shift. Otherwise ``coarse`` is a multiple of `aligner_step`, and multiplexers shift by ``fine``.

    Parameters
    ----------
    in_width, out_width : int
        Bits of the value and of the result.
    max_shift : int
        Largest shift. ``in_width + aligner_step(max_shift)`` must be at most 19.
    input_register : bool
        Whether registers precede the multiplexers.

    Members
    -------
    i : In(signed(in_width))
        Value.
    shift : In(range(max_shift + 1))
        Bits to shift by.
    o : Out(signed(out_width))
        Shifted value, ``latency`` cycles later.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` and ``shift`` to ``o``: 2 for the block, and 1 for registers before multiplexers.
    """

    def __init__(self, in_width: int, max_shift: int, out_width: int, *, input_register: bool = True):
        self._max_shift, self._step = max_shift, aligner_step(max_shift)
        self._places = range(0, max_shift + 1, self._step)
        self._before = int(input_register and self._step > 1)
        self.latency = self._before + Ecp5RegisteredProduct.latency
        super().__init__({"i": In(signed(in_width)), "shift": In(range(max_shift + 1)), "o": Out(signed(out_width))})

    @property
    def max_shift(self) -> int:
        """Largest shift."""
        return self._max_shift

    def elaborate(self, platform):
        m = Module()
        value, shift = delayed(m, self.i, self._before), delayed(m, self.shift, self._before)
        x, y = Signal(signed(FACTOR_BITS)), Signal(FACTOR_BITS)
        m.d.comb += x.eq(value << shift % self._step)
        m.d.comb += [y[at].eq(shift // self._step == n) for n, at in enumerate(self._places)]
        product = place(m, platform, "product", Ecp5RegisteredProduct(), x=x, y=y)
        m.d.comb += self.o.eq(product.o)
        return m
