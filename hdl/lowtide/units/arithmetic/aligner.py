"""Aligner: places a dot product at its exponent in the accumulator's word."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.stream.delay import delayed

__all__ = ["Aligner"]

STEP = 4
"""Bits between the places that the coarse part of a shift goes to."""


class Aligner(wiring.Component):
    """Shifts a signed value to the left.

    ``o = i * 2**shift`` modulo ``2**out_width``.

    The lowest two bits of the shift move the value by multiplexers, one LUT a bit. The others use none: a
    register per place that the value can go to takes it if it is to go there, and is cleared otherwise, which costs a
    synchronous reset and no logic. ORing the registers at their places gives the result, and as the places are
    four bits apart, few of them reach any one bit. Bits above are filled with the sign by the same means.

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

    latency = 3
    """Cycles from ``i`` and ``shift`` to ``o``."""

    def __init__(self, in_width: int, max_shift: int, out_width: int):
        self._max_shift = max_shift
        super().__init__({"i": In(signed(in_width)), "shift": In(range(max_shift + 1)), "o": Out(signed(out_width))})

    @property
    def max_shift(self) -> int:
        """Largest shift."""
        return self._max_shift

    def elaborate(self, platform):
        m = Module()
        value = Signal(signed(len(self.i) + STEP - 1))
        sign = Signal()
        fine, coarse = self.shift % STEP, self.shift // STEP
        m.d.comb += [value.eq(delayed(m, self.i) << delayed(m, fine)), sign.eq(value[-1])]

        # Registered, what clears a register reaches it without a gate between.
        places = range(self.max_shift // STEP + 1)
        copies = [unless(m, delayed(m, coarse != place), value) for place in places]
        fills = [unless(m, delayed(m, coarse > place), sign) for place in places]
        word = Signal.like(self.o)
        m.d.comb += self.o.eq(delayed(m, word))
        for bit in range(len(self.o)):
            reaching = [copy[bit - STEP * n] for n, copy in enumerate(copies) if 0 <= bit - STEP * n < len(copy)]
            lower = (bit - len(value)) // STEP  # the highest place from which the value ends below this bit
            if lower >= 0:
                reaching.append(fills[min(lower, places[-1])])
            m.d.comb += word[bit].eq(reduce(or_, reaching))
        return m


def unless(m: Module, away: Value, value: Value) -> Signal:
    """Register `value`, or zero if it belongs elsewhere."""
    copy = Signal(len(value), reset_less=True)
    m.d.sync += copy.eq(Mux(away, 0, value))
    return copy
