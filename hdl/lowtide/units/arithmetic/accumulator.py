"""Accumulator of a processing element, with the drain that its sums leave on."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.stream.delay import delayed

__all__ = ["Accumulator"]


class Accumulator(wiring.Component):
    """Accumulator: adds an addend per cycle exactly, ``acc += i + carry``, and sends the running sum at a restart.

    A restart does not clear the sum, which wraps modulo ``2**width``: the sum of a tile is the difference of the
    running sums of its restart and of the restart before, see `lowtide.array.differentiator`. The addend of a restart
    is the last one of its tile. The low half of the sum leaves first, the high half one cycle later, sign-extended if
    the width is odd. A word on ``drain_i`` leaves on ``drain_o`` one cycle later. In the two cycles in which the sum
    leaves, ``drain_i`` must be zero. Restarts are at least two cycles apart.

    A reset clears the sum until the first restart, which sends zero: addends before it, which may be unknown, are lost.

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
        High when the last addend of a tile is on ``i``.
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
        working = delayed(m, ~self.restart, init=1, reset_less=False)  # low when the sum of a tile is complete
        clear = Signal(init=1)  # high from a reset until the first restart
        with m.If(self.restart):
            m.d.sync += clear.eq(0)
        total = add(acc, self.i, self.carry) if self._has_carry else acc + self.i
        high = Signal(self._half)
        low = Signal(self._half)
        m.d.comb += low.eq(Mux(working, 0, acc))
        m.d.sync += [
            acc.eq(Mux(clear, 0, total)),
            high.eq(Mux(working, 0, acc >> self._half)),
        ]
        m.d.comb += self.drain_o.eq(delayed(m, self.drain_i | low | high, reset_less=False))
        return m
