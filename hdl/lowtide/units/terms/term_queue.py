"""Term queue: sends the terms of a group of weights, the largest first, one per cycle."""

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
    """Term queue: stores the digits of two groups of values, and sends the terms of one while the other is written.

    The terms leave in the order of receding water: the highest exponent first, and the lowest index first within an
    exponent. So the first ``k`` terms are the ``k`` largest, with ties to the lower index, and the unit needs no
    counter. After the last term of a group, the unit sends words without a term. Source: Kung, McDanel and Zhang, Term
    Revealing, SC20.

    A digit plane is the set of values with a term of one exponent. While the terms of a plane leave, the unit selects
    the next plane that is not empty, so that empty planes take no cycle.

    Parameters
    ----------
    terms : Terms
        Format of the values, and number of values per write.

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

        line = Signal(terms.group, reset_less=True)  # values whose terms of this exponent have not left
        exponent = Signal(range(terms.digits), reset_less=True)
        bank = Signal(reset_less=True)
        pending = Signal(terms.digits, reset_less=True)  # later exponents
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
        highest = Signal(terms.digits)  # highest exponent, one-hot
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
        # Without a term, register and memory may be unknown, which must not reach the adder that follows.
        negative = Mux(there, self._negative(m, bank, index, exponent), 0)
        m.d.comb += [
            self.o.exponent.eq(delayed(m, Mux(there, exponent, 0))),
            self.o.index.eq(delayed(m, index)),
            self.o.negative.eq(delayed(m, negative)),
            self.o.nonzero.eq(delayed(m, there)),
        ]
        return m

    def _lines(self, m: Module, here: Value) -> Value:
        """Return which exponents have terms in a bank's group."""
        digits = self.terms.digits
        found = reduce(or_, (self.nonzero.word_select(j, digits) for j in range(self.terms.values)))
        lines = Signal(digits, reset_less=True)
        with m.If(here):
            m.d.sync += lines.eq(Mux(self.first, found, lines | found))
        return lines

    def _nonzero(self, m: Module, here: Value, index: int) -> Value:
        """Return which digits of a bank's value are terms."""
        slot, j = divmod(index, self.terms.values)
        nonzero = Signal(self.terms.digits, name=f"nonzero_{index}", reset_less=True)
        mine = Signal(name=f"mine_{index}")
        m.d.comb += mine.eq(self.slot == slot)
        with m.If(here & (self.first | mine)):
            m.d.sync += nonzero.eq(Mux(mine, self.nonzero.word_select(j, self.terms.digits), 0))
        return nonzero

    def _negative(self, m: Module, bank: Value, index: Value, exponent: Value) -> Value:
        """Return whether a term is negative, from a memory with all signs of a value in a word."""
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
    """Return only the lowest set bit."""
    return Cat(bits[i] & ~bits[:i].any() for i in range(len(bits)))


def position(one_hot: Value) -> Value:
    """Return the position of the set bit, or 0."""
    bits = (len(one_hot) - 1).bit_length()
    return Cat(Cat(one_hot[i] for i in range(len(one_hot)) if i >> n & 1).any() for n in range(bits))
