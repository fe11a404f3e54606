"""Counters: saturating counters of engine events and of saturated data."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["CONVERSION_COUNTERS", "COUNTERS", "RESULT_COUNTERS", "Counters", "counters_of"]

COUNTERS = {
    "cycles": "cycles in which the engine was not idle",
    "beats": "beats that the array accepted",
    "waits": "cycles in which the array was ready for a tile whose operands were not loaded",
    "stalls": "cycles in which the array did not accept a beat: the end of a short tile, and no room for results",
    "products": "completed products, with all results accepted",
}
"""Counters of every engine, and the events that each counts."""

CONVERSION_COUNTERS = {
    "a_exp_saturated": "groups of A with an exponent above the window",
    "b_exp_saturated": "groups of B with an exponent above the window",
    "a_saturated": "elements of A saturated at the largest magnitude",
    "b_saturated": "elements of B saturated at the largest magnitude",
    "a_nonfinite": "groups of A with a NaN or an infinity",
    "b_nonfinite": "groups of B with a NaN or an infinity",
}
"""Counters of an engine that converts operands to block floating point, and the events that each counts."""

RESULT_COUNTERS = {
    "c_exp_saturated": "groups of results with an exponent above the window",
    "c_saturated": "elements of results saturated at the largest magnitude",
    "c_nonfinite": "groups of results with a NaN or an infinity",
}
"""Counters of an engine with packed results, and the events that each counts; of integers, only ``c_saturated``."""


def counters_of(converts: bool, packed_results: bool) -> dict[str, str]:
    """Return the counters of an engine, and the events that each counts."""
    conversion = CONVERSION_COUNTERS if converts else {}
    results = RESULT_COUNTERS if converts else {"c_saturated": "integers of results saturated at the largest magnitude"}
    return COUNTERS | conversion | (results if packed_results else {})


class Counters(Unit):
    """Counters: counts several kinds of events; each counter saturates at its maximum.

    Parameters
    ----------
    width : int
        Width of a counter in bits.
    most : int
        Maximum number of saturated elements per cycle; 0 if the engine converts no operands.
    products : int
        Maximum number of completed products per cycle.
    packed_results : bool
        Whether the engine has packed results.

    Members
    -------
    clear : In(1)
        Pulses for one cycle to clear all counters.
    cycles, beats, waits, stalls : In(1)
        High with an event, as `COUNTERS` defines it.
    products : In(range(products + 1))
        Completed products in this cycle.
    a_exp_saturated, b_exp_saturated, a_nonfinite, b_nonfinite : In(1)
        High with a group of this kind; only if the engine converts operands.
    a_saturated, b_saturated : In(range(most + 1))
        Saturated elements in this cycle; only if the engine converts operands.
    c_exp_saturated, c_nonfinite : In(1)
        High with a group of this kind; only with packed results of an engine that converts operands.
    c_saturated : In(range((most or 1) + 1))
        Saturated elements of results in this cycle; only with packed results.
    cycles_count, beats_count, waits_count, stalls_count, products_count : Out(width)
        Events since reset or ``clear``, two cycles late.
    a_exp_saturated_count, b_exp_saturated_count, a_nonfinite_count, b_nonfinite_count : Out(width)
        Groups since reset or ``clear``, two cycles late; only if the engine converts operands.
    a_saturated_count, b_saturated_count : Out(width)
        Saturated elements since reset or ``clear``, two cycles late; only if the engine converts operands.
    c_exp_saturated_count, c_nonfinite_count, c_saturated_count : Out(width)
        Groups and saturated elements of results since reset or ``clear``, two cycles late; only with packed results.
    """

    def __init__(self, width: int, most: int, products: int = 1, packed_results: bool = False):
        self.names = counters_of(most > 0, packed_results)
        self.module_name = (
            f"counters_{width}_{most}" + (f"_{products}" if products > 1 else "") + "_packed" * packed_results
        )
        many = {"a_saturated": most, "b_saturated": most, "c_saturated": most or 1, "products": products}
        super().__init__(
            {"clear": In(1)}
            | {name: In(range(many.get(name, 1) + 1)) for name in self.names}
            | {f"{name}_count": Out(width) for name in self.names}
        )

    def elaborate(self, platform):
        m = Module()
        for name in self.names:
            count, events = getattr(self, f"{name}_count"), Signal.like(getattr(self, name), name=f"{name}_events")
            total = Signal(len(count) + 1, name=f"{name}_total")
            m.d.sync += [events.eq(getattr(self, name)), count.eq(total)]
            m.d.comb += total.eq(count + events)
            with m.If(total[-1]):
                m.d.sync += count.eq(-1)
            with m.If(self.clear):
                m.d.sync += count.eq(0)
        return m
