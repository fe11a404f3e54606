"""Aligner: places a dot product at its exponent in the accumulator's word."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.delay import delayed

__all__ = ["Aligner"]


class Aligner(wiring.Component):
    """Shifts a signed value to the left.

    ``o = i * 2**shift`` modulo ``2**out_width``.

    There are no multiplexers. A register per place that a value can go to takes the value if it is to go there, and is
    cleared otherwise, which costs a synchronous reset and no logic; ORing the registers at their places gives
    the result. This is done twice, for the lowest two bits of the shift and for the others: then no bit of the result
    is reached by more than a few registers. Bits above the value are filled with its sign by the same means.

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

    latency = 2
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
        fine, coarse = self.shift[:2], delayed(m, self.shift[2:])
        step = 2 ** len(fine)
        places = self.max_shift // step + 1

        width = len(self.i) + step - 1
        # The nearer copies carry the sign up to the top of the value.
        extended = [Cat(self.i, *[self.i[-1]] * (step - 1 - place)) for place in range(step)]
        near = [gated(m, copy, fine == place) for place, copy in enumerate(extended)]
        value = Signal(width)
        sign = Signal()
        m.d.comb += [
            value.eq(Cat(any_of(reaching(near, bit, 1)) for bit in range(width))),
            sign.eq(value[-1]),
        ]
        far = [gated(m, value, coarse == place) for place in range(places)]
        fill = [gated(m, sign, coarse <= place) for place in range(places)]
        for bit in range(len(self.o)):
            terms = reaching(far, bit, step)
            if bit >= width:
                terms.append(fill[min((bit - width) // step, places - 1)])
            m.d.comb += self.o[bit].eq(any_of(terms))
        return m


def gated(m: Module, value: Value, here: Value) -> Signal:
    """Register `value` if it belongs `here`, zero if not."""
    copy = Signal(len(value), reset_less=True)
    with m.If(here):
        m.d.sync += copy.eq(value)
    with m.Else():
        m.d.sync += copy.eq(0)
    return copy


def reaching(copies: list[Signal], bit: int, step: int) -> list[Value]:
    """Bits of the copies that land on `bit`, where each copy stands `step` places above the one before."""
    return [copy[bit - step * n] for n, copy in enumerate(copies) if 0 <= bit - step * n < len(copy)]


def any_of(bits: list[Value]) -> Value:
    """OR of the bits."""
    return reduce(or_, bits)
