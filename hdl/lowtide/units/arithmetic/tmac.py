"""TMAC: the processing element that multiplies by a queue of terms."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from lowtide.formats.terms import Terms
from lowtide.netlist import Unit
from lowtide.units.arithmetic.accumulator import Accumulator
from lowtide.units.arithmetic.adder_tree import adder_tree
from lowtide.units.arithmetic.group_memory import GroupMemory
from lowtide.units.arithmetic.ports import element_ports
from lowtide.units.stream.delay import delayed

__all__ = ["Tmac"]


class Tmac(Unit):
    """Shifts the data that a weight's terms point to into an exact accumulator, ``parallel`` terms a cycle.

    For each term, ``acc += (-1)**negative * x[index] * 2**exponent``, an integer in two's complement of
    ``terms.accumulator`` bits, sized so that it cannot overflow. ``x`` is the group that the word's bank holds. So a
    group costs as many cycles as its weights have terms, which is the budget ``k``, whatever the data are. While it
    is worked on, the next group's data are written into the other bank. Words of zeros change nothing. Source: the
    queue of weight terms is that of Kung, McDanel and Zhang's work after Term Revealing (SC20), ASPLOS 2021.

    A restart follows the last beat of a tile and carries no term. For it and the drain see `Accumulator`; words from
    below must be idle in the two cycles in which this element sends its own.

    A reset clears the sum, a restart makes any state good, and a bank is written before it is read.

    Parameters
    ----------
    terms : Terms
        The format of the operands.

    Members
    -------
    a_i, a_o : In(terms.layout_a), Out(terms.layout_a)
        Data for a bank, from the left; ``a_i`` one cycle later, to the right.
    b_i, b_o : In(terms.layout_b), Out(terms.layout_b)
        Terms of weights, from above; ``b_i`` one cycle later, downwards.
    restart_i, restart_o : In(1), Out(1)
        High one beat after the last beat of a tile; ``restart_i`` one cycle later, to the right.
    drain_i, drain_o : In((accumulator + 1) // 2), Out((accumulator + 1) // 2)
        Half words of the drain, upwards; zero when idle.
    """

    keep_hierarchy = True
    spacing, restarts = 2, 1

    def __init__(self, terms: Terms):
        self.terms, self.accumulator = terms, terms.accumulator
        self.module_name = (
            f"tmac_w{terms.width}_{terms.encoding}_g{terms.group}_p{terms.parallel}_v{terms.values}_k{terms.max_k}"
        )
        super().__init__(element_ports(terms.layout_a, terms.layout_b, self.accumulator))

    @property
    def latency(self) -> int:
        """Cycles from a restart on ``restart_i`` to the low half on ``drain_o``."""
        return 1 + self._to_accumulator + Accumulator.latency

    @property
    def _exponent_bits(self) -> int:
        return (self.terms.digits - 1).bit_length()

    @property
    def _addend(self) -> int:
        """Bits of a value at the largest exponent."""
        return self.terms.revealed + self.terms.digits - 1

    @property
    def _to_accumulator(self) -> int:
        """Cycles from ``b_o`` to the accumulator's input: a read, the shifts, the levels of the tree."""
        return 1 + max(1, self._exponent_bits // 2 + 1) + (self.terms.parallel - 1).bit_length()

    def elaborate(self, platform):
        m = Module()
        a, b = self.a_o, self.b_o
        m.d.comb += [
            a.eq(delayed(m, self.a_i)),
            b.eq(delayed(m, self.b_i)),
            self.restart_o.eq(delayed(m, self.restart_i, reset_less=False)),
        ]
        terms = [b.term[n] for n in range(self.terms.parallel)]
        m.submodules.group = group = GroupMemory(
            signed(self.terms.revealed), self.terms.values, self.terms.slots, len(terms)
        )
        m.d.comb += [
            group.write.eq(a.write),
            group.write_bank.eq(a.bank),
            group.slot.eq(a.slot),
            group.i.eq(a.value.as_value()),
            group.read_bank.eq(b.bank),
            group.index.eq(Cat(term.index for term in terms)),
        ]
        shifted = [
            self._shifted(m, group.o.word_select(n, self.terms.revealed).as_signed(), term)
            for n, term in enumerate(terms)
        ]
        total, carry = adder_tree(m, [word for word, _ in shifted], [negative for _, negative in shifted])
        m.submodules.accumulator = accumulator = Accumulator(self.accumulator, len(total), carry=True)
        m.d.comb += [
            accumulator.i.eq(total),
            accumulator.carry.eq(carry),
            # After a reset the pipeline may hold anything: restarts keep the sum at zero until the first gets there.
            accumulator.restart.eq(delayed(m, self.restart_o, self._to_accumulator - 1, init=1, reset_less=False)),
            accumulator.drain_i.eq(self.drain_i),
            self.drain_o.eq(accumulator.drain_o),
        ]
        return m

    def _shifted(self, m: Module, value: Value, term) -> tuple[Value, Value]:
        """The value at its exponent, all bits turned over for a negative term, and the 1 that then is missing.

        Four places are a six-input look-up table a bit; the last choice, of two places, and the turning over another.
        """
        word = Signal(value.shape(), reset_less=True)
        m.d.sync += word.eq(Mux(term.nonzero, value, 0))
        exponent, negative = delayed(m, term.exponent), delayed(m, term.negative)
        step = 0  # of the exponent, bits that are done
        while step < self._exponent_bits - 1:
            bits = exponent[step : min(step + 2, self._exponent_bits - 1)]
            word = delayed(m, shifted_left(word, bits, step))
            exponent, negative, step = delayed(m, exponent), delayed(m, negative), step + len(bits)
        word = shifted_left(word, exponent[step:], step)[: self._addend]
        return delayed(m, (word ^ negative.replicate(len(word))).as_signed()), delayed(m, negative)


def shifted_left(word: Value, by: Value, step: int) -> Value:
    """A signed word times ``2**(by * 2**step)``."""
    most = (2 ** len(by) - 1) << step
    return (word << Cat(Const(0, step), by))[: len(word) + most].as_signed()
