"""The control register of an array for terms."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Effective, Settings
from lowtide.formats.terms import Terms
from lowtide.netlist import Unit

__all__ = ["Control"]


class Control(Unit):
    """Keeps the settings, and refuses those that the hardware was not generated for.

    After reset there is no revealing, and the other settings are the largest. A write that is refused changes nothing
    but the flag.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    write : In(1)
        New settings are written.
    i : In(Settings(terms))
        Those.
    refused : Out(1)
        The last write was refused.
    o : Out(Effective(terms))
        What the settings come to.
    """

    def __init__(self, terms: Terms):
        self.terms = terms
        self.module_name = (
            f"term_control_w{terms.width}_{terms.encoding}_{terms.group}_{terms.budget}_{terms.data_terms}"
        )
        super().__init__({"write": In(1), "i": In(Settings(terms)), "refused": Out(1), "o": Out(Effective(terms))})

    def elaborate(self, platform):
        m = Module()
        terms = self.terms
        largest = {"group": terms.group, "budget": terms.budget, "data_terms": terms.data_terms}
        settings = Signal(Settings(terms), init={"reveal": 0, **largest})
        refused, legal = Signal(), Signal()
        m.d.comb += [
            legal.eq((self.i.group != 0) & Cat(within(self.i[key], most) for key, most in largest.items()).all()),
            self.refused.eq(refused),
        ]
        with m.If(self.write):
            m.d.sync += refused.eq(~legal)
            with m.If(legal):
                m.d.sync += settings.eq(self.i)
        everything = {
            "group": terms.group,
            "budget": terms.group * terms.most_terms,
            "data_terms": terms.most_terms,
        }
        m.d.comb += [self.o[key].eq(Mux(settings.reveal, settings[key], value)) for key, value in everything.items()]
        return m


def within(value: Value, most: int) -> Value:
    """Whether a value is no more than it may be."""
    return value <= most if most + 1 < 1 << len(value) else Const(1)
