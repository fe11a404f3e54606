"""Aligner: shifts a dot product to its exponent in the accumulator."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.stream.delay import delayed

__all__ = ["Aligner"]

STEP = 4
"""Bits between neighboring positions of the coarse shift."""


class Aligner(wiring.Component):
    """Aligner: shifts a signed value to the left, ``o = i * 2**shift`` modulo ``2**out_width``.

    The lowest two bits of the shift select by multiplexers, one LUT per bit. The other bits need no multiplexer: each
    coarse position has a register, which loads the value's magnitude bits if it is selected and is cleared otherwise,
    by a synchronous reset. The result is the OR of the registers at their positions. As positions are four bits apart,
    few registers reach each bit. Registers of the sign extend the result in the same way.

    Parameters
    ----------
    in_width, out_width : int
        Bits of the value and of the result.
    max_shift : int
        Largest shift.
    input_register, output_register : bool
        Whether registers precede the multiplexers, and follow the OR.

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
        Cycles from ``i`` and ``shift`` to ``o``: 1 for the positions' registers, and 1 for each optional register.
    """

    def __init__(
        self,
        in_width: int,
        max_shift: int,
        out_width: int,
        *,
        input_register: bool = True,
        output_register: bool = True,
    ):
        self._max_shift = max_shift
        self._before, self._after = int(input_register), int(output_register)
        self.latency = self._before + 1 + self._after
        super().__init__({"i": In(signed(in_width)), "shift": In(range(max_shift + 1)), "o": Out(signed(out_width))})

    @property
    def max_shift(self) -> int:
        """Largest shift."""
        return self._max_shift

    def elaborate(self, platform):
        m = Module()
        value = Signal(signed(len(self.i) + STEP - 1))
        bits, sign = value[:-1], value[-1]
        fine, coarse = self.shift % STEP, self.shift // STEP
        m.d.comb += value.eq(delayed(m, self.i, self._before) << delayed(m, fine, self._before))

        # With an input register, no gate lies between the registered clear signals and the reset inputs.
        places = range(self.max_shift // STEP + 1)
        copies = [unless(m, delayed(m, coarse != place, self._before), bits) for place in places]
        fills = [unless(m, delayed(m, coarse > place, self._before), sign) for place in places]
        word = Signal.like(self.o)
        m.d.comb += self.o.eq(delayed(m, word, self._after))
        for bit in range(len(self.o)):
            reaching = [copy[bit - STEP * n] for n, copy in enumerate(copies) if 0 <= bit - STEP * n < len(bits)]
            lower = (bit - len(bits)) // STEP  # the highest position whose value ends below this bit
            if lower >= 0:
                reaching.append(fills[min(lower, places[-1])])
            m.d.comb += word[bit].eq(reduce(or_, reaching))
        return m


def unless(m: Module, away: Value, value: Value) -> Signal:
    """Register ``value``, or zero where ``away`` is high."""
    copy = Signal(len(value), reset_less=True)
    m.d.sync += copy.eq(Mux(away, 0, value))
    return copy
