"""Term row: keeps the largest terms of the data of one row."""

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
    """Control of a term row: where the data are stored, and how many terms each value keeps.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    take : 1 bit
        A beat of values is accepted.
    slot : unsigned
        Position of the values in their group.
    bank : 1 bit
        Bank into which the elements write the values.
    data_terms : unsigned
        Terms kept per value.
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
    """Term row: keeps the ``data_terms`` largest terms of each value, and packs words for the elements of a row.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    i : In(terms.values * terms.width)
        Integers in two's complement, the first in the lowest bits.
    control_i : In(RowControl(terms))
        Control of the integers.
    control_o : Out(RowControl(terms))
        ``control_i`` delayed by one cycle, for the next row.
    o : Out(terms.layout_a)
        Word for the elements, ``latency`` cycles after ``i``.
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
        """Return the revealed value."""
        terms = self.terms
        integer = self.i.word_select(j, terms.width).as_signed()
        revealer = Revealer(terms.width, terms.encoding)
        return place(m, platform, f"revealer_{j}", revealer, enable=1, i=integer, s=data_terms).o
