"""Proofs about the array for terms: its settings, its term queues, its elements."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Module, Mux, ResetSignal, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.array.terms.control import Control
from lowtide.array.terms.loader import Loader
from lowtide.array.terms.settings import Effective, Settings
from lowtide.formats.terms import Terms
from lowtide.units.arithmetic.pair_mac import PairMac
from lowtide.units.arithmetic.pmac import Pmac, PmacParams
from lowtide.units.arithmetic.tmac import Tmac
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.term_queue import TermQueue

SMALL = Terms(width=3, group=2, budget=3, data_terms=1)


class SettingsStayLegal(wiring.Component):
    """For any writes, the current settings are legal; a rejected write changes none of them."""

    def __init__(self, terms):
        self.terms = terms
        super().__init__({"write": In(1), "i": In(Settings(terms))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Control(self.terms)
        m.d.comb += [dut.write.eq(self.write), dut.i.eq(self.i)]
        terms, o = self.terms, dut.o
        most = terms.group * terms.most_terms
        before, was = Signal.like(o.as_value()), Signal()  # was: there was a previous cycle, without reset
        m.d.sync += [before.eq(o.as_value()), was.eq(1)]
        m.d.comb += [
            Assert((o.group >= 1) & (o.group <= terms.group)),
            Assert((o.budget <= terms.budget) | (o.budget == most)),
            Assert((o.data_terms <= terms.data_terms) | (o.data_terms == terms.most_terms)),
            Assert(~(was & dut.refused) | (o.as_value() == before) | delayed(m, ~dut.refused)),
        ]
        return m


def test_settings_stay_legal(prove):
    prove(SettingsStayLegal(Terms(group=6, budget=10, data_terms=3)), depth=6, unbounded=True)


class GroupsKeepTheirTime(wiring.Component):
    """Each group outputs as many terms as its budget, after it is complete and before its bank is reused.

    Beats, settings and the moments at which a term may go are anything.
    """

    def __init__(self, terms):
        self.terms = terms
        inputs = ("a_valid", "b_valid", "a_last", "b_last", "go")
        super().__init__({**{name: In(1) for name in inputs}, "settings": In(Effective(terms))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Loader(self.terms)
        m.d.comb += [getattr(dut, name).eq(getattr(self, name)) for name in ("a_valid", "b_valid", "a_last", "b_last")]
        m.d.comb += [dut.settings.eq(self.settings), dut.go.eq(self.go & dut.term)]
        m.d.comb += Assume((self.settings.group >= 1) & (self.settings.group <= self.terms.group))

        # Groups in order of arrival: complete groups whose terms are not all sent, and the beats of the arriving group.
        waiting, coming = Signal(range(3)), Signal(range(self.terms.group + 1))
        opening = Signal(init=1)
        budget, group = Signal.like(self.settings.budget), Signal.like(self.settings.group)
        budgets = Array(Signal.like(self.settings.budget, name=f"budget_of_{n}") for n in range(2))
        lasts = Array(Signal(name=f"last_of_{n}") for n in range(2))
        received, went, sent = Signal(), Signal(), Signal.like(self.settings.budget)
        now_budget, now_group = Mux(opening, self.settings.budget, budget), Mux(opening, self.settings.group, group)
        complete = Signal()
        done = Signal()
        least = Signal.like(self.settings.budget)
        m.d.comb += [
            complete.eq(dut.take & (self.a_last | (coming + 1 == now_group))),
            least.eq(Mux(budgets[went] == 0, 1, budgets[went])),
            done.eq(dut.go & (sent + 1 == least)),
        ]
        m.d.sync += waiting.eq(waiting + complete - done)
        with m.If(dut.take):
            m.d.sync += [budget.eq(now_budget), group.eq(now_group), opening.eq(self.a_last), coming.eq(coming + 1)]
        with m.If(complete):
            m.d.sync += [
                coming.eq(0),
                received.eq(~received),
                budgets[received].eq(now_budget),
                lasts[received].eq(self.a_last),
            ]
        with m.If(dut.go):
            m.d.sync += sent.eq(Mux(done, 0, sent + 1))
        with m.If(done):
            m.d.sync += went.eq(~went)
        m.d.comb += [
            Assert(dut.take == (self.a_valid & dut.a_ready)),
            Assert(dut.take == (self.b_valid & dut.b_ready)),
            Assert(dut.idle == ~dut.take),
            Assert(dut.term == (waiting != 0)),
            Assert(~dut.take | (dut.bank == received)),
            Assert(~dut.take | (dut.slot == coming)),
            Assert(~dut.take | (waiting < 2)),  # a bank with terms to send is not written
            Assert(~dut.term | (dut.term_bank == went)),
            Assert(~dut.go | (dut.term_first == (sent == 0))),
            Assert(~dut.go | (dut.term_last == (done & lasts[went]))),
            Assert(dut.next == (dut.go & (budgets[went] != 0))),
        ]
        return m


@pytest.mark.slow
def test_groups_keep_their_time(prove):
    prove(GroupsKeepTheirTime(SMALL), depth=9)


class LargestTermsComeFirst(wiring.Component):
    """Terms of a group leave in the order of the waterline, completely, and with the right signs.

    Meanwhile, at any time, another group is written into the other bank.
    """

    def __init__(self, terms):
        self.terms = terms
        super().__init__(
            {"nonzero": In(terms.digits), "negative": In(terms.digits), "more": In(1), "slot": In(1), "next": In(1)}
        )

    def elaborate(self, platform):
        m = Module()
        terms = self.terms
        m.submodules.dut = dut = TermQueue(terms)
        now = Signal(range(32), reset_less=True)
        m.d.sync += now.eq(now + (now != 31))
        writing = now < terms.group  # cycles in which the group arrives
        count = terms.group * terms.digits
        nonzero = [Signal(terms.digits, reset_less=True, name=f"value_{i}") for i in range(terms.group)]
        negative = [Signal(terms.digits, reset_less=True, name=f"signs_{i}") for i in range(terms.group)]
        for i in range(terms.group):
            with m.If(now == i):
                m.d.sync += [nonzero[i].eq(self.nonzero), negative[i].eq(self.negative)]
        started = Signal(reset_less=True)
        go = self.next & ~writing
        m.d.sync += started.eq(started | go)
        m.d.comb += [
            dut.write.eq(writing | self.more),
            dut.bank.eq(~writing),
            dut.first.eq(Mux(writing, now == 0, self.slot == 0)),
            dut.slot.eq(Mux(writing, now, self.slot)),
            dut.nonzero.eq(self.nonzero),
            dut.negative.eq(self.negative),
            dut.next.eq(go),
            dut.next_first.eq(~started),
            dut.next_bank.eq(0),
        ]
        # In the order of the waterline: the highest exponent first, then the lowest index.
        order = [(e, i) for e in reversed(range(terms.digits)) for i in range(terms.group)]
        left = Signal(count, reset_less=True)  # terms that have not left
        everything = Cat(nonzero[i][e] for e, i in order)
        todo = Signal(count)
        coming = delayed(m, delayed(m, go, init=0), init=0)
        first = delayed(m, delayed(m, go & ~started, init=0), init=0)
        m.d.comb += todo.eq(Mux(first, everything, left))
        earlier = 0
        with m.If(coming):
            m.d.comb += Assert(dut.o.nonzero == todo.any())
            for place, (e, i) in enumerate(order):
                here = todo[place] & (earlier == 0)
                earlier = todo[: place + 1].any()
                with m.If(here):
                    m.d.comb += [
                        Assert((dut.o.exponent == e) & (dut.o.index == i)),
                        Assert(dut.o.negative == negative[i][e]),
                    ]
            m.d.sync += left.eq(todo & (todo - 1))
        with m.Else():
            m.d.comb += Assert(~dut.o.nonzero)
        return m


@pytest.mark.parametrize(
    "terms", [pytest.param(SMALL, marks=pytest.mark.slow), Terms(width=2, group=3, budget=1, data_terms=1)], ids=str
)
def test_largest_terms_come_first(prove, terms):
    prove(LargestTermsComeFirst(terms), depth=13)


class TileIsExact(wiring.Component):
    """After a tile of a few beats with any words, the drain outputs their sum in two halves.

    Parameters
    ----------
    make : function
        Makes the element.
    clearing : int
        Cycles before the tile, for restarts without beats.
    """

    beats = 3

    def __init__(self, make, clearing=1):
        self.element, self.clearing = make(), clearing
        members = self.element.signature.members
        super().__init__({"a": In(members["a_i"].shape), "b": In(members["b_i"].shape)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.element
        now = Signal(range(64), reset_less=True)
        m.d.sync += now.eq(now + 1)
        start, stop = self.clearing, self.clearing + self.beats
        total = Signal(signed(dut.accumulator), reset_less=True)
        restarts = [stop - 1, *range(0, self.clearing, dut.spacing)]
        m.d.comb += [
            dut.restart_i.eq(Cat(now == cycle + dut.restart_delay for cycle in restarts).any()),
            Assume(~ResetSignal()),
        ]
        with m.If((now >= start) & (now < stop)):
            m.d.comb += [dut.a_i.eq(self.a), dut.b_i.eq(self.b)]
            m.d.sync += total.eq(total + self.addend(m))
        low, high = now == stop - 1 + dut.latency, now == stop + dut.latency
        half = len(dut.drain_o)
        m.d.comb += [
            Assert(~low | (dut.drain_o == total[:half])),
            Assert(~high | (dut.drain_o == (total >> half)[:half])),
            Assert(low | high | (dut.drain_o == 0) | (now < start)),
        ]
        return m

    def addend(self, m):
        """The addend of this cycle's words."""
        return self.a * self.b


class TermTileIsExact(TileIsExact):
    """The proof for elements that store data: a beat reads only data that an earlier beat wrote."""

    def addend(self, m):
        slots = 1 << len(self.a.slot)
        kept = [Signal(self.kept(self.a).shape(), name=f"kept_{n}", reset_less=True) for n in range(2 * slots)]
        known = [Signal(name=f"known_{n}", reset_less=True) for n in range(2 * slots)]
        place = Cat(self.a.slot, self.a.bank)
        for n in range(2 * slots):
            with m.If(self.a.write & (place == n)):
                m.d.sync += [kept[n].eq(self.kept(self.a)), known[n].eq(1)]
        weight, where = self.weight(self.b)
        m.d.comb += [Assume(~weight.nonzero | Array(known)[where]), *self.legal(weight)]
        value = self.value(Array(kept)[where])
        shifted = value << weight.exponent
        return Mux(weight.nonzero, Mux(weight.negative, -shifted, shifted), 0)

    def legal(self, weight):
        """Assume values and exponents that revealing can give."""
        largest, digits = self.element.terms.max_magnitude, self.element.terms.digits
        value = self.a.value[0]
        return [Assume((value >= -largest) & (value <= largest)), Assume(weight.exponent < digits)]

    def kept(self, a):
        return a.value[0]

    def value(self, kept):
        return kept.as_signed()

    def weight(self, b):
        return b.term[0], Cat(b.term[0].index, b.bank)


class PairTileIsExact(TermTileIsExact):
    """The proof for elements that multiply terms of both operands."""

    def legal(self, weight):
        return [Assume(term.exponent < self.element.terms.digits) for term in (weight, self.a)]

    def kept(self, a):
        return Cat(a.exponent, a.negative, a.nonzero)

    def value(self, kept):
        exponent, negative, nonzero = kept[:-2], kept[-2], kept[-1]
        return Mux(nonzero, Mux(negative, -1, 1), 0) * (1 << exponent)

    def weight(self, b):
        return b.pair[0], Cat(b.pair[0].slot, b.bank)


@pytest.mark.parametrize("multiplier", ["booth", "inferred"])
def test_a_tile_of_integers_is_exact(prove, multiplier):
    shape = PmacParams(width=3, multiplier=multiplier, max_k=4)
    prove(TileIsExact(lambda: Pmac(shape)), depth=Pmac(shape).latency + 7)


def test_a_tile_of_terms_is_exact(prove):
    terms = Terms(width=3, group=2, budget=3, data_terms=1, max_k=16)
    prove(TermTileIsExact(lambda: Tmac(terms)), depth=Tmac(terms).latency + 7)


def test_a_tile_of_pairs_is_exact(prove):
    terms = Terms(width=2, group=2, budget=1, data_terms=1, max_k=16)
    spacing = PairMac(terms).spacing
    prove(PairTileIsExact(lambda: PairMac(terms), 2 * spacing), depth=2 * spacing + PairMac(terms).latency + 6)
