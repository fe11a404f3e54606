"""TMAC: processing element for a queue of terms."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from lowtide.formats.terms import Terms
from lowtide.netlist import Unit
from lowtide.units.arithmetic.accumulator import Accumulator
from lowtide.units.arithmetic.adder_tree import AdderLevels, adder_tree
from lowtide.units.arithmetic.group_memory import GroupMemory
from lowtide.units.arithmetic.ports import element_ports, shared_registers
from lowtide.units.stream.delay import delayed

__all__ = ["Tmac"]


class Tmac(Unit):
    """Processing element for terms: accumulates data shifted by terms of weights, ``parallel`` terms per cycle.

    For each term, ``acc += (-1)**negative * x[index] * 2**exponent``, an integer in two's complement of
    ``terms.accumulator`` bits, which cannot overflow. ``x`` is the group in the bank that the word selects. So a group
    costs as many cycles as its weights have terms, which is the budget ``k``, for any data. Meanwhile, the next group's
    data are written to the other bank. Words of zeros change nothing. Source of the queue of weight terms: Kung,
    McDanel and Zhang, ASPLOS 2021, after Term Revealing (SC20).

    A restart sends the running sum. For restart and drain see `Accumulator`; ``drain_i`` must be zero in the two cycles
    in which the element sends its sum. A bank must be written before it is read.

    Parameters
    ----------
    terms : Terms
        Format of the operands.
    cycles_a, cycles_b : int
        Cycles in which A and restarts pass, and cycles in which B passes: 1, or 0 for an element that shares the
        registers of its left or upper neighbor.

    Members
    -------
    a_i, a_o : In(terms.layout_a), Out(terms.layout_a)
        Data for a bank, from the left; ``a_i`` one cycle later, to the right.
    b_i, b_o : In(terms.layout_b), Out(terms.layout_b)
        Terms of weights, from above; ``b_i`` one cycle later, downwards.
    restart_i, restart_o : In(1), Out(1)
        High ``restart_delay`` cycles after the last beat of a tile; ``restart_i`` one cycle later, to the right.
    drain_i, drain_o : In((accumulator + 1) // 2), Out((accumulator + 1) // 2)
        Half words of the drain, upwards; zero when idle.
    """

    keep_hierarchy = True
    spacing, restarts, running_sums = 2, 1, True

    def __init__(self, terms: Terms, cycles_a: int = 1, cycles_b: int = 1):
        self.cycles_a, self.cycles_b = cycles_a, cycles_b
        self.terms, self.accumulator = terms, terms.accumulator
        self.module_name = (
            f"tmac_w{terms.width}_{terms.encoding}_g{terms.group}_p{terms.parallel}_v{terms.values}_k{terms.max_k}"
            + shared_registers(cycles_a, cycles_b)
        )
        super().__init__(element_ports(terms.layout_a, terms.layout_b, self.accumulator))

    @property
    def latency(self) -> int:
        """Cycles from the last beat on ``a_i`` to the low half on ``drain_o``."""
        return self.cycles_a + self.restart_delay + Accumulator.latency

    @property
    def _exponent_bits(self) -> int:
        return (self.terms.digits - 1).bit_length()

    @property
    def _addend(self) -> int:
        """Bits of a value at the largest exponent."""
        return self.terms.revealed + self.terms.digits - 1

    @property
    def restart_delay(self) -> int:
        """Cycles from the last beat to its restart: read, shifts, and levels of the adder tree."""
        return 1 + max(1, self._exponent_bits // 2 + 1) + (self.terms.parallel - 1).bit_length()

    def elaborate(self, platform):
        m = Module()
        a, b = self.a_o, self.b_o
        m.d.comb += [
            a.eq(delayed(m, self.a_i, self.cycles_a)),
            b.eq(delayed(m, self.b_i, self.cycles_b)),
            self.restart_o.eq(delayed(m, self.restart_i, self.cycles_a, reset_less=False)),
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
        total, carry = adder_tree(AdderLevels(m), [word for word, _ in shifted], [negative for _, negative in shifted])
        m.submodules.accumulator = accumulator = Accumulator(self.accumulator, len(total), carry=True)
        m.d.comb += [
            accumulator.i.eq(total),
            accumulator.carry.eq(carry),
            accumulator.restart.eq(self.restart_o),
            accumulator.drain_i.eq(self.drain_i),
            self.drain_o.eq(accumulator.drain_o),
        ]
        return m

    def _shifted(self, m: Module, value: Value, term) -> tuple[Value, Value]:
        """Return the value shifted to its exponent, inverted for a negative term, and the 1 that the inversion lacks.

        A shift of 0 to 3 bits is one six-input look-up table per bit; the last step, of two positions, and the
        inversion are another.
        """
        word = Signal(value.shape(), reset_less=True)
        m.d.sync += word.eq(Mux(term.nonzero, value, 0))
        exponent, negative = delayed(m, term.exponent), delayed(m, term.negative)
        step = 0  # bits of the exponent that are applied
        while step < self._exponent_bits - 1:
            bits = exponent[step : min(step + 2, self._exponent_bits - 1)]
            word = delayed(m, shifted_left(word, bits, step))
            exponent, negative, step = delayed(m, exponent), delayed(m, negative), step + len(bits)
        word = shifted_left(word, exponent[step:], step)[: self._addend]
        return delayed(m, (word ^ negative.replicate(len(word))).as_signed()), delayed(m, negative)


def shifted_left(word: Value, by: Value, step: int) -> Value:
    """Return a signed word times ``2**(by * 2**step)``."""
    most = (2 ** len(by) - 1) << step
    return (word << Cat(Const(0, step), by))[: len(word) + most].as_signed()
