"""Term column: turns the groups of weights of one column into terms."""

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
    """Control of a term column: where the weights are stored, and which term is sent.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    take : 1 bit
        A beat of values is accepted.
    first : 1 bit
        The values are the first of their group.
    slot : unsigned
        Position of the values in their group.
    bank : 1 bit
        Bank into which the group is written.
    group : unsigned
        Size of a group: values beyond it count as zero.
    next : 1 bit
        A term is sent.
    next_first : 1 bit
        The term is the first of its group.
    next_bank : 1 bit
        Bank of that group.
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
    """Term column: sends the largest terms of each group of weights to the elements of a column, one term per cycle.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware, with one term per cycle.

    Members
    -------
    i : In(terms.values * terms.width)
        Integers in two's complement, the first in the lowest bits.
    control_i : In(ColumnControl(terms))
        Control of the integers and of the terms.
    control_o : Out(ColumnControl(terms))
        ``control_i`` delayed by one cycle, for the next column.
    o : Out(terms.layout_b)
        Word for the elements, ``latency`` cycles after ``next``.
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
