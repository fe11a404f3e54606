"""Pair MAC: processing element of Term Revealing, which multiplies a term by a term."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.memory import Memory

from lowtide.formats.terms import Terms
from lowtide.netlist import Unit
from lowtide.units.arithmetic.adder_tree import AdderLevels, add, adder_tree
from lowtide.units.arithmetic.group_memory import GroupMemory
from lowtide.units.arithmetic.ports import element_ports, shared_registers
from lowtide.units.stream.delay import delayed

__all__ = ["PairMac"]


class PairMac(Unit):
    """Processing element for term pairs: counts products by exponent, and sums the counts at the end of a tile.

    The product of a weight's term and a data term is ``+-2**(e + f)``: the unit adds the exponents and counts the
    coefficient of that power up or down. Two memories store a vector of coefficients each. While one vector counts the
    next tile, the other is converted to an integer from the lowest power up: ``t = coefficient + (t >> 1)``, whose
    lowest bit is the next bit of the sum. Each of several pairs per cycle has its own vectors, and the unit adds the
    coefficients of a power as it reads them. So a group costs ``k * s / parallel`` cycles for any values. Source: Kung,
    McDanel and Zhang, Term Revealing, SC20.

    A restart ends a tile. It sends the sum of the tile on the drain, in half words as `Accumulator` does. Two restarts,
    each ``spacing`` cycles after the restart before it, recover from any state. After a reset, their sums are zero.

    Parameters
    ----------
    terms : Terms
        Format of the operands; ``parallel`` is the number of pairs per cycle. ``values`` is ignored.
    cycles_a, cycles_b : int
        Cycles in which A and restarts pass, and cycles in which B passes: 1, or 0 for an element that shares the
        registers of its left or upper neighbor.

    Members
    -------
    a_i, a_o : In(layout_a), Out(layout_a)
        A term of the data for a bank, from the left; ``a_i`` one cycle later, to the right.
    b_i, b_o : In(layout_b), Out(layout_b)
        ``parallel`` terms of weights, each with the slot of its data term, from above; ``b_i`` one cycle later,
        downwards.
    restart_i, restart_o : In(1), Out(1)
        High ``restart_delay`` cycles after the last beat of a tile; ``restart_i`` one cycle later, to the right.
    drain_i, drain_o : In((accumulator + 1) // 2), Out((accumulator + 1) // 2)
        Half words of the drain, upwards; zero when idle.

    Attributes
    ----------
    spacing : int
        Least number of cycles from one restart to the next.
    """

    keep_hierarchy = True
    restarts, running_sums = 2, False

    def __init__(self, terms: Terms, cycles_a: int = 1, cycles_b: int = 1):
        self.cycles_a, self.cycles_b = cycles_a, cycles_b
        self.terms, self.accumulator = terms, terms.accumulator
        counts = f"g{terms.group}_s{terms.data_terms}_p{terms.parallel}_k{terms.max_k}"
        shared = shared_registers(cycles_a, cycles_b)
        self.module_name = f"pair_mac_w{terms.width}_{terms.encoding}_{counts}{shared}"
        self._exponent = unsigned((terms.digits - 1).bit_length())
        self._powers = 2 * terms.digits - 1
        self._half = (self.accumulator + 1) // 2
        self._slots = terms.group * terms.data_terms
        self.spacing = self._powers + 2
        slot = unsigned((self._slots - 1).bit_length())
        self.layout_a = data.StructLayout(
            {"exponent": self._exponent, "negative": 1, "nonzero": 1, "slot": slot, "bank": 1, "write": 1}
        )
        pair = data.StructLayout({"exponent": self._exponent, "negative": 1, "nonzero": 1, "slot": slot})
        self.layout_b = data.StructLayout({"pair": data.ArrayLayout(pair, terms.parallel), "bank": 1})
        super().__init__(element_ports(self.layout_a, self.layout_b, self.accumulator))

    @property
    def latency(self) -> int:
        """Cycles from the last beat on ``a_i`` to the low half on ``drain_o``."""
        return self.cycles_a + self.restart_delay + 1 + (self.terms.parallel - 1).bit_length() + self._powers + 2

    @property
    def restart_delay(self) -> int:
        """Cycles from the last beat to its restart: read of the data term, addition of exponents."""
        return 2

    @property
    def _coefficient(self) -> Shape:
        """Shape of a coefficient: all pairs add at most one term of a weight and one term of each value to a power."""
        most = self.terms.max_k * min(self.terms.most_terms, self.terms.data_terms)
        return signed(most.bit_length() + 1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.a_o.eq(delayed(m, self.a_i, self.cycles_a)),
            self.b_o.eq(delayed(m, self.b_i, self.cycles_b)),
            self.restart_o.eq(delayed(m, self.restart_i, self.cycles_a, reset_less=False)),
        ]

        active = Signal()  # bank that counts
        converting = Signal()  # the other bank is read, and then cleared
        place = Signal(range(self._powers))
        last = Signal()
        m.d.comb += last.eq(converting & (place == self._powers - 1))
        m.d.sync += active.eq(active ^ self.restart_o)
        with m.If(self.restart_o):
            m.d.sync += [converting.eq(1), place.eq(0)]
        with m.Elif(converting):
            m.d.sync += [place.eq(place + 1), converting.eq(~last)]
        clears, reads = [], []
        for bank in range(2):
            clear = Signal(name=f"clear_{bank}")
            known = Signal(name=f"known_{bank}")  # cleared since reset
            m.d.comb += clear.eq(converting & (active != bank))
            m.d.sync += known.eq(known | (clear & last))
            clears.append(clear)
            reads.append(clear & known)

        vectors = [
            self._vector(m, f"coefficients_{n}", pair, active, clears, reads, place)
            for n, pair in enumerate(self._pairs(m))
        ]
        coefficient, _ = adder_tree(AdderLevels(m), vectors)
        cycles = 1 + (len(vectors) - 1).bit_length()
        coefficient = coefficient[: self._coefficient.width].as_signed()
        self._drain(m, coefficient, *(delayed(m, bit, cycles, reset_less=False) for bit in (converting, last)))
        return m

    def _vector(
        self,
        m: Module,
        name: str,
        pair: tuple[Value, Value, Value],
        active: Value,
        clears: Sequence[Value],
        reads: Sequence[Value],
        place: Value,
    ) -> Value:
        """Count the coefficients of one pair per cycle, and return the coefficient that is read."""
        power, negative, counts = pair
        down = negative.replicate(self._coefficient.width).as_signed()
        read = []
        for bank, (clear, wanted) in enumerate(zip(clears, reads, strict=True)):
            m.submodules[f"{name}_{bank}"] = memory = Memory(shape=self._coefficient, depth=1 << len(power), init=[])
            now, then = memory.read_port(domain="comb"), memory.write_port()
            m.d.comb += [
                now.addr.eq(Mux(clear, place, power)),
                then.addr.eq(now.addr),
                then.en.eq(clear | (counts & (active == bank))),
                # Plus or minus one; or, to clear, a word plus its complement plus 1.
                then.data.eq(add(Mux(clear, ~down, now.data), down, clear | ~negative)),
            ]
            read.append(delayed(m, Mux(wanted, now.data, 0)))
        return (read[0] | read[1]).as_signed()

    def _pairs(self, m: Module) -> list[tuple[Value, Value, Value]]:
        """Return the exponent and sign of each pair's product, and whether both terms are nonzero."""
        a, b = self.a_o, self.b_o
        pairs = [b.pair[n] for n in range(self.terms.parallel)]
        m.submodules.group = group = GroupMemory(unsigned(len(a.exponent) + 2), 1, self._slots, len(pairs))
        m.d.comb += [
            group.write.eq(a.write),
            group.write_bank.eq(a.bank),
            group.slot.eq(a.slot),
            group.i.eq(Cat(a.exponent, a.negative, a.nonzero)),
            group.read_bank.eq(b.bank),
            group.index.eq(Cat(pair.slot for pair in pairs)),
        ]
        return [self._product(m, group.o.word_select(n, len(group.i)), pair) for n, pair in enumerate(pairs)]

    def _product(self, m: Module, data: Value, pair) -> tuple[Value, Value, Value]:
        # Without a weight term, the word that is read is unknown.
        word, weight = delayed(m, Mux(pair.nonzero, data, 0)), delayed(m, pair)
        exponent, negative, nonzero = word[:-2], word[-2], word[-1]
        return (
            delayed(m, exponent + weight.exponent),
            delayed(m, negative ^ weight.negative),
            delayed(m, nonzero & weight.nonzero),
        )

    def _drain(self, m: Module, coefficient: Value, coming: Value, last: Value) -> None:
        """Convert coefficients, which arrive from the lowest power up, to an integer, and send it."""
        t = Signal(signed(len(coefficient) + 1), reset_less=True)
        settled = Signal(self._powers - 1, reset_less=True)  # bits of the sum that no later coefficient changes
        done = delayed(m, last, reset_less=False)
        m.d.sync += [t.eq(Mux(coming, (t >> 1) + coefficient, 0)), settled.eq(Cat(settled[1:], t[0]))]
        total = Signal(signed(2 * self._half))
        m.d.comb += total.eq(Cat(settled, t).as_signed())
        high = delayed(m, Mux(done, total[self._half :], 0), reset_less=False)
        low = Mux(done, total[: self._half], 0)
        m.d.comb += self.drain_o.eq(delayed(m, self.drain_i | low | high, reset_less=False))
