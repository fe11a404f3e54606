"""A row's data on their way to the processing elements: each value keeps its largest terms."""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Effective
from lowtide.formats.terms import Terms
from lowtide.netlist import Unit, place
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.revealer import Revealer

__all__ = ["Row", "RowControl"]


class RowControl(data.StructLayout):
    """What a row's data are to become.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    take : 1 bit
        There are values.
    slot, bank
        Where in the processing elements they go.
    data_terms : unsigned
        Terms that each keeps.
    """

    def __init__(self, terms: Terms):
        super().__init__(
            {
                "take": 1,
                "slot": (terms.slots - 1).bit_length(),
                "bank": 1,
                "data_terms": Effective(terms)["data_terms"].shape,
            }
        )


class Row(Unit):
    """Keeps the ``data_terms`` largest terms of each value, and makes words for the processing elements of a row.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    i : In(values * width)
        Integers in two's complement, the first in the lowest bits.
    control_i, control_o : In(RowControl(terms)), Out(RowControl(terms))
        What they are to become; the same a cycle later, for the next row.
    o : Out(terms.layout_a)
        Word, ``latency`` cycles after ``i``.
    """

    latency = Revealer.latency

    def __init__(self, terms: Terms):
        self.terms = terms
        self.module_name = f"term_row_w{terms.width}_{terms.encoding}_g{terms.group}_v{terms.values}"
        control = RowControl(terms)
        super().__init__(
            {
                "i": In(terms.values * terms.width),
                "control_i": In(control),
                "control_o": Out(control),
                "o": Out(terms.layout_a),
            }
        )

    def elaborate(self, platform):
        m = Module()
        control = delayed(m, self.control_i, Revealer.choice)
        values = [self._value(m, platform, j, control.data_terms) for j in range(self.terms.values)]
        control = delayed(m, control, self.latency - Revealer.choice)
        m.d.comb += [
            self.control_o.eq(delayed(m, self.control_i)),
            self.o.value.as_value().eq(Cat(values)),
            self.o.slot.eq(control.slot),
            self.o.bank.eq(control.bank),
            self.o.write.eq(control.take),
        ]
        return m

    def _value(self, m: Module, platform, j: int, data_terms: Value) -> Value:
        """What is left of a value."""
        terms = self.terms
        integer = self.i.word_select(j, terms.width).as_signed()
        revealer = Revealer(terms.width, terms.encoding)
        return place(m, platform, f"revealer_{j}", revealer, enable=1, i=integer, s=data_terms).o
