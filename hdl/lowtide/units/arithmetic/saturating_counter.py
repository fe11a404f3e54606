"""Saturating counter: counts events, several per cycle, up to its largest value."""

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["SaturatingCounter"]


class SaturatingCounter(Unit):
    """Saturating counter: adds the ones of a word to a count, up to ``2**width - 1``.

    Parameters
    ----------
    events : int
        Events per cycle.
    width : int
        Bits of the count, at least the bits of the number ``events``.

    Members
    -------
    events : In(events)
        A bit per event: high in the cycle of the event.
    clear : In(1)
        Resets the count to zero. Events that are not counted yet belong to the new count.
    count : Out(width)
        Events since reset or ``clear``, or ``2**width - 1`` if there were more.

    Attributes
    ----------
    latency : int
        Cycles from an event to the count that includes it.
    """

    def __init__(self, events: int, width: int):
        self.module_name = f"saturating_counter_{events}x{width}"
        self.latency = 1 + (events - 1).bit_length()
        super().__init__({"events": In(events), "clear": In(1), "count": Out(width)})

    def elaborate(self, platform):
        m = Module()
        ones: Sequence[Value] = list(self.events)
        while len(ones) > 1:
            ones = [_sum(m, *ones[first : first + 2]) for first in range(0, len(ones), 2)]

        total = Signal(len(self.count) + 1)
        m.d.comb += total.eq(self.count + ones[0])
        m.d.sync += self.count.eq(total)
        with m.If(total[-1]):
            m.d.sync += self.count.eq(-1)
        with m.If(self.clear):
            m.d.sync += self.count.eq(ones[0])
        return m


def _sum(m: Module, x: Value, y: Value | None = None) -> Value:
    """Return the sum of two words, or one word, a cycle later."""
    total = x if y is None else x + y
    word = Signal(len(total), name="ones")
    m.d.sync += word.eq(total)
    return word
