"""Rounder: rounds a magnitude to an integer, deterministically or by a random word."""

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.rounding.params import RounderParams

__all__ = ["Rounder"]


LONGEST_RIPPLE = 4
"""Most bits of a word whose decision takes look-up tables; a longer word's decision takes a carry chain."""


class Rounder(Unit):
    """Rounder: rounds a magnitude down or up to an integer of one more bit, which the user saturates.

    With ``t`` the fraction of D bits and ``R`` the random word of r bits, the unit rounds up

    ================ ===================================================
    ``truncate``     never
    ``nearest``      if ``2 t >= 2**D``
    ``nearest_even`` if ``2 t > 2**D``, or ``2 t = 2**D`` and the integer is odd
    ``carry``        if ``floor(t 2**r / 2**D) + R >= 2**r``
    ``half_step``    if ``floor(t 2**(r+1) / 2**D) + 2 R + 1 >= 2**(r+1)``
    ================ ===================================================

    so that t = 0 never rounds up. A stochastic rounder adds the word to the whole magnitude, so that one carry chain
    decides and increments. The separate output ``up`` is the decision; synthesis removes an unused output.

    Combinational. A user with more bits of fraction ORs them into the lowest bit for ``nearest_even``, and drops them
    for the other modes. Source: ESRU, DATE 2023; gfloat calls the two stochastic modes StochasticFastest and
    StochasticFast.

    Parameters
    ----------
    params : RounderParams
        Mode and widths.

    Members
    -------
    value : In(width + fraction)
        Magnitude, with the fraction in the low bits.
    random : In(random)
        Random word. Only for stochastic modes.
    o : Out(width + 1)
        Rounded magnitude, at most ``2**width``.
    up : Out(1)
        High if the magnitude is rounded up.
    """

    def __init__(self, params: RounderParams):
        self.params = params
        word = f"_r{params.random}" if params.stochastic else ""
        self.module_name = f"rounder_{params.mode}_w{params.width}_d{params.fraction}{word}"
        ports = {"value": In(params.width + params.fraction)} | (
            {"random": In(params.random)} if params.stochastic else {}
        )
        super().__init__(ports | {"o": Out(params.width + 1), "up": Out(1)})

    def elaborate(self, platform):
        m = Module()
        integer = Signal(self.params.width)
        fraction = Signal(self.params.fraction)
        m.d.comb += [
            Cat(fraction, integer).eq(self.value),
            self.up.eq(self._decision(m, integer, fraction)),
            self.o.eq(self._result(integer, fraction)),
        ]
        return m

    def _result(self, integer: Value, fraction: Value) -> Value:
        """Return the rounded magnitude."""
        if not self.params.stochastic:
            return integer + self.up
        top, below, word = self._addends(fraction)
        # Both operands are extended below by the same bit, so that it carries.
        return (Cat(below, top, integer) + Cat(below, word))[1 + len(word) :]

    def _decision(self, m: Module, integer: Value, fraction: Value) -> Value:
        """Return whether to round up."""
        if self.params.mode == "truncate":
            return C(0)
        if self.params.mode == "nearest":
            return fraction[-1]
        if self.params.mode == "nearest_even":
            return fraction[-1] & (fraction[:-1].any() | integer[0])
        top, carry, word = self._addends(fraction)
        if len(word) > LONGEST_RIPPLE:
            return (Cat(carry, top) + Cat(carry, word))[-1]
        for a, b in zip(top, word, strict=True):
            carry = named(m, (a & b) | (carry & (a | b)))
        return carry

    def _addends(self, fraction: Value) -> tuple[Value, Value, Value]:
        """Return the fraction's bits that the word is added to, the bit below them as a carry, and the word."""
        word = self.random[-len(fraction) :]  # bits beyond the fraction have no effect
        below = C(0)
        if self.params.mode == "half_step" and len(word) < len(fraction):
            below = fraction[-len(word) - 1]  # 2 a + b + 2 R + 1 >= 2**(r + 1) just if a + R + b >= 2**r
        return fraction[-len(word) :], below, word


def named(m: Module, bit: Value) -> Signal:
    """Return a signal with a bit's value."""
    signal = Signal(name="carry")
    m.d.comb += signal.eq(bit)
    return signal
