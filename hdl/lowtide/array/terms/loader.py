"""Term loader: accepts groups of values while the terms of the previous group are sent."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Effective
from lowtide.formats.terms import Terms
from lowtide.netlist import Unit

__all__ = ["Loader"]


class Loader(Unit):
    """Term loader: accepts beats of integers from both operand streams, and releases the terms of complete groups.

    A group is written into one of two banks while the terms of the other bank are sent, one per cycle and ``budget``
    in all. A bank is free again after its last term. So a group takes ``budget`` cycles, or as many cycles as it has
    beats if that is more. A budget of 0 also takes one cycle, in which no term is sent.

    The loader samples the settings with the first beat of a tile. They apply to the whole tile, and may differ for the
    next one.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    a_valid, b_valid : In(1)
        High while a beat is offered on the stream.
    a_last, b_last : In(1)
        High with the last beat of a tile.
    a_ready, b_ready : Out(1)
        High when the beat is accepted, always from both streams at once.
    settings : In(Effective(terms))
        Settings, sampled with the first beat of a tile.
    take : Out(1)
        High when a beat is accepted.
    idle : Out(1)
        High when no beat is accepted.
    first : Out(1)
        High when the accepted beat is the first of its group.
    slot : Out((terms.slots - 1).bit_length())
        Number of the accepted beat within its group.
    bank : Out(1)
        Bank into which the accepted beat is written.
    group : Out(settings.group.shape())
        Group size of the tile of the accepted beat.
    data_terms : Out(settings.data_terms.shape())
        Terms kept per value of the data, for the tile of the accepted beat.
    term : Out(1)
        High while a term is available.
    term_first : Out(1)
        High when the term is the first of its group.
    term_last : Out(1)
        High when the term is the last of its tile.
    term_bank : Out(1)
        Bank of the group of the term.
    go : In(1)
        High when the term is accepted.
    next : Out(1)
        High when the term is accepted and the budget is not 0.
    misaligned : Out(1)
        High after ``last`` arrived on one stream alone, until reset. Such a tile ends with ``a_last``.
    """

    def __init__(self, terms: Terms):
        self.terms = terms
        self.module_name = f"term_loader_w{terms.width}_{terms.encoding}_{terms.group}_v{terms.values}"
        effective = Effective(terms)
        super().__init__(
            {
                **{name: In(1) for name in ("a_valid", "b_valid", "a_last", "b_last")},
                "a_ready": Out(1),
                "b_ready": Out(1),
                "settings": In(effective),
                **{name: Out(1) for name in ("take", "idle", "first", "bank")},
                "slot": Out((terms.slots - 1).bit_length()),
                "group": Out(effective["group"].shape),
                "data_terms": Out(effective["data_terms"].shape),
                **{name: Out(1) for name in ("term", "term_first", "term_last", "term_bank", "next")},
                "go": In(1),
                "misaligned": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        banks = [Bank(self.settings.budget, n) for n in range(2)]
        self._load(m, banks)
        self._release(m, banks)
        return m

    def _load(self, m: Module, banks: list["Bank"]) -> None:
        bank = Signal()
        slot = Signal.like(self.slot)
        opening = Signal(init=1)  # the next beat begins a tile
        held = Signal.like(self.settings, reset_less=True)
        now = Signal.like(self.settings)
        free, complete = Signal(), Signal()
        m.d.comb += [
            now.eq(Mux(opening, self.settings, held)),
            free.eq(~Mux(bank, banks[1].full, banks[0].full)),
            self.a_ready.eq(free & self.b_valid),
            self.b_ready.eq(free & self.a_valid),
            self.take.eq(free & self.a_valid & self.b_valid),
            self.idle.eq(~self.take),
            self.first.eq(slot == 0),
            self.slot.eq(slot),
            self.bank.eq(bank),
            self.group.eq(now.group),
            self.data_terms.eq(now.data_terms),
            complete.eq(self.a_last | ((slot + 1) * self.terms.values >= now.group)),
        ]
        with m.If(self.take):
            m.d.sync += [opening.eq(self.a_last), held.eq(now), slot.eq(slot + 1)]
            with m.If(self.a_last != self.b_last):
                m.d.sync += self.misaligned.eq(1)
            with m.If(complete):
                m.d.sync += [slot.eq(0), bank.eq(~bank)]
                for n, its in enumerate(banks):
                    with m.If(bank == n):
                        m.d.sync += [its.full.eq(1), its.budget.eq(now.budget), its.ends.eq(self.a_last)]

    def _release(self, m: Module, banks: list["Bank"]) -> None:
        bank = Signal()
        sent = Signal.like(self.settings.budget)
        budget = Signal.like(sent)
        following = Signal(len(sent) + 1)
        last = Signal()
        m.d.comb += [
            budget.eq(Mux(bank, banks[1].budget, banks[0].budget)),
            following.eq(sent + 1),
            last.eq(following >= budget),
            self.term.eq(Mux(bank, banks[1].full, banks[0].full)),
            self.term_first.eq(sent == 0),
            self.term_last.eq(last & Mux(bank, banks[1].ends, banks[0].ends)),
            self.next.eq(self.go & (budget != 0)),
            self.term_bank.eq(bank),
        ]
        with m.If(self.go):
            m.d.sync += sent.eq(Mux(last, 0, following))
            with m.If(last):
                m.d.sync += bank.eq(~bank)
                for n, its in enumerate(banks):
                    with m.If(bank == n):
                        m.d.sync += its.full.eq(0)


class Bank:
    """State of a bank.

    Parameters
    ----------
    budget : Value
        Budget whose shape the bank stores.
    n : int
        Number of the bank.

    Attributes
    ----------
    full : Signal
        High while the bank stores a group with terms to send.
    ends : Signal
        High if the group ends a tile.
    budget : Signal
        Budget of the group.
    """

    def __init__(self, budget: Value, n: int):
        self.full = Signal(name=f"full_{n}")
        self.ends = Signal(name=f"ends_{n}", reset_less=True)
        self.budget = Signal.like(budget, name=f"budget_{n}", reset_less=True)
