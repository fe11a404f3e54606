"""A column's weights on their way to the processing elements: a group becomes a queue of terms."""

from amaranth.hdl import Cat, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Effective
from lowtide.formats.terms import Terms
from lowtide.netlist import Unit, place
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.signed_encoder import SignedEncoder
from lowtide.units.terms.term_queue import TermQueue

__all__ = ["Column", "ColumnControl"]


class ColumnControl(data.StructLayout):
    """What a column's weights are to become, and which of their terms goes.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    take : 1 bit
        There are values.
    first, slot, bank
        They are the first of their group; where in the group they are; where it goes.
    group : unsigned
        Values of a group: what is beyond counts as zero.
    next, next_first, next_bank
        A term goes; it is the first of its group; where that is.
    """

    def __init__(self, terms: Terms):
        super().__init__(
            {
                "take": 1,
                "first": 1,
                "slot": (terms.slots - 1).bit_length(),
                "bank": 1,
                "group": Effective(terms)["group"].shape,
                "next": 1,
                "next_first": 1,
                "next_bank": 1,
            }
        )


class Column(Unit):
    """Makes words for the processing elements of a column: of each group of weights the largest terms, one a cycle.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for, with one term a cycle.

    Members
    -------
    i : In(values * width)
        Integers in two's complement, the first in the lowest bits.
    control_i, control_o : In(ColumnControl(terms)), Out(ColumnControl(terms))
        What they are to become; the same a cycle later, for the next column.
    o : Out(terms.layout_b)
        Word, ``latency`` cycles after ``next``.
    """

    latency = SignedEncoder.latency + 2

    def __init__(self, terms: Terms):
        self.terms = terms
        self.module_name = f"term_column_w{terms.width}_{terms.encoding}_g{terms.group}_v{terms.values}"
        control = ColumnControl(terms)
        super().__init__(
            {
                "i": In(terms.values * terms.width),
                "control_i": In(control),
                "control_o": Out(control),
                "o": Out(terms.layout_b),
            }
        )

    def elaborate(self, platform):
        m = Module()
        terms = self.terms
        control = delayed(m, self.control_i, SignedEncoder.latency)
        nonzero, negative = [], []
        for j in range(terms.values):
            integer = self.i.word_select(j, terms.width).as_signed()
            encoder = place(
                m, platform, f"encoder_{j}", SignedEncoder(terms.width, terms.encoding), enable=1, i=integer
            )
            counts = control.slot * terms.values + j < control.group
            # A group ends with the beat that completes it, so its first value of a beat always counts.
            nonzero.append(encoder.nonzero & counts.replicate(terms.digits) if j else encoder.nonzero)
            negative.append(encoder.negative)
        queue = place(
            m,
            platform,
            "queue",
            TermQueue(terms),
            write=control.take,
            first=control.first,
            slot=control.slot,
            bank=control.bank,
            nonzero=Cat(nonzero),
            negative=Cat(negative),
            next=control.next,
            next_first=control.next_first,
            next_bank=control.next_bank,
        )
        m.d.comb += [
            self.control_o.eq(delayed(m, self.control_i)),
            self.o.term.as_value().eq(queue.o.as_value()),
            self.o.bank.eq(delayed(m, control.next_bank, 2)),
        ]
        return m
