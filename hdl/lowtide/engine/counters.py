"""Counters: what an engine did, and what its data suffered."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["COUNTERS", "Counters"]

COUNTERS = {
    "cycles": "cycles in which the engine was not idle",
    "beats": "beats that the array took",
    "waits": "cycles in which the array could have begun a tile whose operands were not loaded",
    "stalls": "cycles in which the array did not take a beat: one a tile, and those of results that had no place",
    "products": "products that are complete, their results taken",
    "a_exp_saturated": "groups of A above the window of exponents",
    "b_exp_saturated": "groups of B above the window of exponents",
    "a_saturated": "elements of A that were held at the largest magnitude",
    "b_saturated": "elements of B that were held at the largest magnitude",
    "a_nonfinite": "groups of A with a NaN or an infinity",
    "b_nonfinite": "groups of B with a NaN or an infinity",
}
"""Names of counters, and what they count."""


class Counters(Unit):
    """Counts events of several kinds; each count stays at its largest number.

    Parameters
    ----------
    width : int
        Bits of a count.
    most : int
        Most events of a kind in a cycle.

    Members
    -------
    clear : In(1)
        Start all of them again.
    one for each of `COUNTERS`, ``name`` : In(range(most + 1))
        Events of this cycle.
    ``name_count`` : Out(width)
        Their sum since reset or ``clear``, two cycles later.
    """

    def __init__(self, width: int, most: int):
        self.module_name = f"counters_{width}_{most}"
        many = {"a_saturated", "b_saturated"}
        super().__init__(
            {"clear": In(1)}
            | {name: In(range(most + 1) if name in many else 1) for name in COUNTERS}
            | {f"{name}_count": Out(width) for name in COUNTERS}
        )

    def elaborate(self, platform):
        m = Module()
        for name in COUNTERS:
            count, events = getattr(self, f"{name}_count"), Signal.like(getattr(self, name), name=f"{name}_events")
            total = Signal(len(count) + 1, name=f"{name}_total")
            m.d.sync += [events.eq(getattr(self, name)), count.eq(total)]
            m.d.comb += total.eq(count + events)
            with m.If(total[-1]):
                m.d.sync += count.eq(-1)
            with m.If(self.clear):
                m.d.sync += count.eq(0)
        return m
