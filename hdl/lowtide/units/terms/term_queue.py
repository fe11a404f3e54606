"""Term queue: the terms of a group of weights, the largest first, one a cycle."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib.wiring import In, Out

from lowtide.formats.terms import Terms
from lowtide.netlist import Unit
from lowtide.units.arithmetic.group_memory import GroupMemory
from lowtide.units.stream.delay import delayed

__all__ = ["TermQueue"]


class TermQueue(Unit):
    """Keeps the digits of two groups of values, and gives the terms of one while the other is written.

    Terms come in the order in which the water of receding water meets them: the highest exponent first, of one
    exponent those of the lowest index first. So whoever stops after ``k`` of them has the ``k`` largest, with ties to
    the lower index, and no count is kept. A group that has fewer gives words without a term behind them. Source: Kung,
    McDanel and Zhang, Term Revealing, SC20.

    A line is the values that have a term of some exponent. While the terms of one go, the next that is not empty is
    chosen: no cycle is lost on empty lines.

    Parameters
    ----------
    terms : Terms
        The format of the values, and how many are written at once.

    Members
    -------
    write : In(1)
        High while digits of ``values`` values of a group are written.
    first : In(1)
        With ``write``: high with the first values of a group. Values that are not written have no terms.
    slot : In((slots - 1).bit_length())
        Place in the group: value ``j`` of the write becomes value ``slot * values + j`` of the group.
    bank : In(1)
        Bank of the group. The group may be written from two cycles after the last ``next`` of the bank's previous
        group on.
    nonzero, negative : In(values * digits)
        Digits, value 0 in the lowest bits: which are terms, and which terms are negative.
    next : In(1)
        High one cycle before a term is read.
    next_first : In(1)
        With ``next``: high with the first term of a group, which must be written by then.
    next_bank : In(1)
        Bank to read; sampled with ``next_first``.
    o : Out(terms.layout_term)
        The term, two cycles after ``next``; without ``next``, a word without a term.
    """

    def __init__(self, terms: Terms):
        self.terms = terms
        self.module_name = f"term_queue_d{terms.digits}_g{terms.group}_v{terms.values}"
        super().__init__(
            {
                "write": In(1),
                "first": In(1),
                "slot": In((terms.slots - 1).bit_length()),
                "bank": In(1),
                "nonzero": In(terms.values * terms.digits),
                "negative": In(terms.values * terms.digits),
                "next": In(1),
                "next_first": In(1),
                "next_bank": In(1),
                "o": Out(terms.layout_term),
            }
        )

    def elaborate(self, platform):
        m = Module()
        terms = self.terms
        planes, lines = [], []
        for bank in range(2):
            here = Signal(name=f"here_{bank}")
            m.d.comb += here.eq(self.write & (self.bank == bank))
            lines.append(self._lines(m, here))
            planes.append([self._nonzero(m, here, index) for index in range(terms.group)])

        line = Signal(terms.group, reset_less=True)  # values whose terms of this exponent are to go
        exponent = Signal(range(terms.digits), reset_less=True)
        bank = Signal(reset_less=True)
        pending = Signal(terms.digits, reset_less=True)  # exponents that are to come after this one
        go = delayed(m, self.next)

        lowest = Signal(terms.group)
        rest = Signal(terms.group)
        choose = Signal()
        source = Signal(terms.digits)
        here = Signal()
        m.d.comb += [
            lowest.eq(first_one(line)),
            rest.eq(Mux(go, line & ~lowest, line)),
            choose.eq(self.next & (self.next_first | ~rest.any())),
            source.eq(Mux(self.next_first, Mux(self.next_bank, lines[1], lines[0]), pending)),
            here.eq(Mux(self.next_first, self.next_bank, bank)),
        ]
        highest = Signal(terms.digits)  # of the exponents, as one bit
        m.d.comb += highest.eq(first_one(source[::-1])[::-1])
        chosen = [highest & (here ^ 1 if bank == 0 else here).replicate(terms.digits) for bank in range(2)]
        m.d.sync += line.eq(rest)
        with m.If(choose):
            m.d.sync += [
                line.eq(Cat(((zero & chosen[0]) | (one & chosen[1])).any() for zero, one in zip(*planes, strict=True))),
                exponent.eq(position(highest)),
                pending.eq(source & ~highest),
                bank.eq(here),
            ]

        index = position(lowest)
        there = go & line.any()
        # Without a term, neither register nor memory may ever have been written, and an adder follows.
        negative = Mux(there, self._negative(m, bank, index, exponent), 0)
        m.d.comb += [
            self.o.exponent.eq(delayed(m, Mux(there, exponent, 0))),
            self.o.index.eq(delayed(m, index)),
            self.o.negative.eq(delayed(m, negative)),
            self.o.nonzero.eq(delayed(m, there)),
        ]
        return m

    def _lines(self, m: Module, here: Value) -> Value:
        """Which exponents a bank's group has terms of."""
        digits = self.terms.digits
        found = reduce(or_, (self.nonzero.word_select(j, digits) for j in range(self.terms.values)))
        lines = Signal(digits, reset_less=True)
        with m.If(here):
            m.d.sync += lines.eq(Mux(self.first, found, lines | found))
        return lines

    def _nonzero(self, m: Module, here: Value, index: int) -> Value:
        """Which digits of a bank's value are terms."""
        slot, j = divmod(index, self.terms.values)
        nonzero = Signal(self.terms.digits, name=f"nonzero_{index}", reset_less=True)
        mine = Signal(name=f"mine_{index}")
        m.d.comb += mine.eq(self.slot == slot)
        with m.If(here & (self.first | mine)):
            m.d.sync += nonzero.eq(Mux(mine, self.nonzero.word_select(j, self.terms.digits), 0))
        return nonzero

    def _negative(self, m: Module, bank: Value, index: Value, exponent: Value) -> Value:
        """Whether a term is negative: a value's signs are looked up together, since only one is needed in a cycle."""
        terms = self.terms
        m.submodules.signs = signs = GroupMemory(unsigned(terms.digits), terms.values, terms.slots)
        m.d.comb += [
            signs.write.eq(self.write),
            signs.write_bank.eq(self.bank),
            signs.slot.eq(self.slot),
            signs.i.eq(self.negative),
            signs.read_bank.eq(bank),
            signs.index.eq(index),
        ]
        return (signs.o >> exponent)[0]


def first_one(bits: Value) -> Value:
    """Only the lowest bit that is set."""
    return Cat(bits[i] & ~bits[:i].any() for i in range(len(bits)))


def position(one_hot: Value) -> Value:
    """The place of the one bit that is set, or 0."""
    bits = (len(one_hot) - 1).bit_length()
    return Cat(Cat(one_hot[i] for i in range(len(one_hot)) if i >> n & 1).any() for n in range(bits))
