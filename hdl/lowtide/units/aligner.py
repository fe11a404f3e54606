"""Aligner: places a dot product at its exponent in the accumulator's word."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Aligner"]


class Aligner(wiring.Component):
    """Shifts a signed value to the left.

    ``o = i * 2**shift`` modulo ``2**out_width``.

    Parameters
    ----------
    in_width, out_width : int
        Bits of the value and of the result.
    max_shift : int
        Largest shift.

    Members
    -------
    i : In(signed(in_width))
        Value.
    shift : In(range(max_shift + 1))
        Places to shift it by.
    o : Out(signed(out_width))
        The shifted value, ``latency`` cycles later.
    """

    def __init__(self, in_width: int, max_shift: int, out_width: int):
        self._max_shift = max_shift
        super().__init__({"i": In(signed(in_width)), "shift": In(range(max_shift + 1)), "o": Out(signed(out_width))})

    @property
    def max_shift(self) -> int:
        """Largest shift."""
        return self._max_shift

    @property
    def latency(self) -> int:
        """Cycles from ``i`` and ``shift`` to ``o``."""
        return 1

    def elaborate(self, platform):
        m = Module()
        o = Signal.like(self.o, reset_less=True)
        m.d.sync += o.eq(self.i << self.shift)
        m.d.comb += self.o.eq(o)
        return m
