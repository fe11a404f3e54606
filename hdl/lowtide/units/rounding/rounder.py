"""Rounder: rounds a magnitude to an integer, by a random word or without."""

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.rounding.params import RounderParams

__all__ = ["Rounder"]


LONGEST_RIPPLE = 4
"""Most bits of a word whose decision is left to look-up tables; that of a longer one is a carry chain."""


class Rounder(Unit):
    """Rounds a magnitude down or up to the next integer, which has a bit more: it is up to whoever uses it to hold it.

    With ``t`` the fraction of D bits and ``R`` the random word of r bits, it rounds up

    ================ ===================================================
    ``truncate``     never
    ``nearest``      if ``2 t >= 2**D``
    ``nearest_even`` if ``2 t > 2**D``, or ``2 t = 2**D`` and the integer is odd
    ``carry``        if ``floor(t 2**r / 2**D) + R >= 2**r``
    ``half_step``    if ``floor(t 2**(r+1) / 2**D) + 2 R + 1 >= 2**(r+1)``
    ================ ===================================================

    so that t = 0 never goes up. A stochastic rounder adds the word to the whole magnitude: carries decide and count at
    once. The decision by itself is there for whoever wants no more than that; what is not used is not built.

    Combinational. A caller with more bits of fraction than a rounder has ORs the rest into the lowest bit for
    ``nearest_even``, and leaves it out for the others. Source: ESRU, DATE 2023; the two stochastic rules are those that
    gfloat calls StochasticFastest and StochasticFast.

    Parameters
    ----------
    params : RounderParams
        Its mode and widths.

    Members
    -------
    value : In(width + fraction)
        Magnitude, the fraction in the low bits.
    random : In(random)
        Random word. Only for the stochastic modes.
    o : Out(width + 1)
        The rounded magnitude, at most ``2**width``.
    up : Out(1)
        It was rounded up.
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
        """The magnitude, rounded."""
        if not self.params.stochastic:
            return integer + self.up
        looked_at, below, word = self._meeting(fraction)
        # What is below goes in twice, so that it carries.
        return (Cat(below, looked_at, integer) + Cat(below, word))[1 + len(word) :]

    def _decision(self, m: Module, integer: Value, fraction: Value) -> Value:
        """Whether to round up."""
        if self.params.mode == "truncate":
            return C(0)
        if self.params.mode == "nearest":
            return fraction[-1]
        if self.params.mode == "nearest_even":
            return fraction[-1] & (fraction[:-1].any() | integer[0])
        looked_at, carry, word = self._meeting(fraction)
        if len(word) > LONGEST_RIPPLE:
            return (Cat(carry, looked_at) + Cat(carry, word))[-1]
        for a, b in zip(looked_at, word, strict=True):
            carry = named(m, (a & b) | (carry & (a | b)))
        return carry

    def _meeting(self, fraction: Value) -> tuple[Value, Value, Value]:
        """Bits of the fraction that the word is added to, the one below that is carried into them, and the word."""
        word = self.random[-len(fraction) :]  # more bits than the fraction has decide nothing
        below = C(0)
        if self.params.mode == "half_step" and len(word) < len(fraction):
            below = fraction[-len(word) - 1]  # 2 a + b + 2 R + 1 >= 2**(r + 1) just if a + R + b >= 2**r
        return fraction[-len(word) :], below, word


def named(m: Module, bit: Value) -> Signal:
    """A bit that is used more than once."""
    signal = Signal(name="carry")
    m.d.comb += signal.eq(bit)
    return signal
