"""Accumulator of a processing element, with the drain that its sums leave on."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.stream.delay import delayed

__all__ = ["Accumulator"]


class Accumulator(wiring.Component):
    """Accumulator: adds an addend per cycle exactly, ``acc += i + carry``, and drains the sum at a restart.

    The addend of a restart is the last one of its sum: the sum with this addend leaves on the drain, and the next sum
    begins with the next addend. The low half of the sum leaves first, the high half one cycle later, sign-extended if
    the width is odd. A word on ``drain_i`` leaves on ``drain_o`` one cycle later. In the two cycles in which the sum
    leaves, ``drain_i`` must be zero. Restarts are at least two cycles apart, and from a reset.

    A reset clears the sum without sending it. A restart recovers from any state.

    Parameters
    ----------
    width : int
        Bits of the sum, in two's complement.
    addend : int
        Bits of an addend.
    carry : bool
        Whether the unit has a carry input.

    Members
    -------
    i : In(signed(addend))
        Addend.
    carry : In(1)
        Carry, added in the cycle of ``i``. Only with ``carry``.
    restart : In(1)
        High one cycle before the last addend of a sum is on ``i``.
    drain_i, drain_o : In((width + 1) // 2), Out((width + 1) // 2)
        Half words of the drain; zero when idle.

    Attributes
    ----------
    latency : int
        Cycles from the last addend on ``i`` to the low half on ``drain_o``.
    """

    latency = 2

    def __init__(self, width: int, addend: int, carry: bool = False):
        self._width, self._has_carry = width, carry
        self._half = (width + 1) // 2
        super().__init__(
            {
                "i": In(signed(addend)),
                **({"carry": In(1)} if carry else {}),
                "restart": In(1),
                "drain_i": In(self._half),
                "drain_o": Out(self._half),
            }
        )

    def elaborate(self, platform):
        m = Module()
        acc = Signal(signed(self._width), reset_less=True)
        restart = delayed(m, self.restart, init=1, reset_less=False)
        # Low with the last addend of a sum, but not in restarts that follow each other after a reset.
        adding = delayed(m, ~(self.restart & ~restart), init=1, reset_less=False)
        total = Signal(signed(2 * self._half))
        m.d.comb += total.eq(add(acc, self.i, self.carry) if self._has_carry else acc + self.i)
        # The sum leaves from separate registers, so that the next addend can follow without a gap.
        low = Signal(self._half)
        high = Signal(self._half, reset_less=True)
        m.d.sync += [acc.eq(Mux(restart, 0, total)), low.eq(Mux(adding, 0, total))]
        with m.If(~adding):
            m.d.sync += high.eq(total >> self._half)
        idle = delayed(m, adding, 2, init=1, reset_less=False)
        word = self.drain_i | low | Mux(idle, 0, high)
        m.d.comb += self.drain_o.eq(delayed(m, word, reset_less=False))
        return m
