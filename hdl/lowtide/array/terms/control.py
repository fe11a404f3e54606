"""Control register of a term array."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Effective, Settings
from lowtide.formats.terms import Terms
from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["Control", "legal_settings"]


class Control(Unit):
    """Control register: stores the settings of a term array, and refuses settings that exceed the hardware.

    After reset there is no revealing, and the other settings have their maximum. A refused write changes nothing but
    ``refused``.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    write : In(1)
        Pulses for one cycle to write the settings.
    i : In(Settings(terms))
        New settings.
    refused : Out(1)
        High after a refused write, until the next write.
    o : Out(Effective(terms))
        Effective settings.
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
        settings = Signal(Settings(terms), init={"reveal": 0, **largest(terms)})
        refused, legal = Signal(), Signal()
        m.d.comb += [
            legal.eq(legal_settings(terms, self.i)),
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


def largest(terms: Terms) -> dict[str, int]:
    """Return the largest value of each setting but ``reveal``."""
    return {"group": terms.group, "budget": terms.budget, "data_terms": terms.data_terms}


def legal_settings(terms: Terms, settings: data.View) -> Value:
    """Return whether a view of `Settings` has only values that the hardware supports."""
    return (settings.group != 0) & Cat(at_most(settings[key], most) for key, most in largest(terms).items()).all()
