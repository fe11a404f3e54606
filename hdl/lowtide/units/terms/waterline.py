"""Waterline: the k largest terms of a group of values, an exponent a cycle."""

import attrs
from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit, place
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.digit_plane import DigitPlaneLayout
from lowtide.units.terms.first_k_ones import SEGMENT, more_than, remaining, within
from lowtide.units.terms.prefix_count import PrefixCount

__all__ = ["Waterline", "WaterlineParams"]


@attrs.frozen(kw_only=True)
class WaterlineParams:
    """What a selector of a group's terms, line by line, is generated for.

    Parameters
    ----------
    group : int
        Values of a group at most, ``g``.
    budget : int
        Terms that a group may keep at most, ``k``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    group: int = parameter(8, range(1, 65), "values of a group at most, g")
    budget: int = parameter(16, range(1, 1025), "terms a group may keep at most, k")

    @property
    def layout(self) -> DigitPlaneLayout:
        """Layout of a line."""
        return DigitPlaneLayout(self.group)


class Waterline(Unit):
    """Keeps the ``k`` largest terms of each group, or all if there are no more, as its lines come.

    The waterline goes down a line a cycle. Every term on it is kept, on the last line in the order of index, until
    there are k: of the terms of a line those are kept that have fewer before them than are left. What a line has is
    counted before it is known what is left, so that the loop from line to line is one subtraction.

    A line a cycle, and no cycle between groups; a line comes ``latency`` cycles after it is taken if nothing stalls.
    Source: Kung, McDanel and Zhang, Term Revealing, SC20, arXiv 2007.06389, without its overshoot.

    Parameters
    ----------
    params : WaterlineParams
        Its group and budget.

    Members
    -------
    i : In(stream of DigitPlaneLayout(group))
        Lines of groups, the highest exponent first.
    budget : In(range(budget + 1))
        Terms to keep. Taken over with the first line of a group; it may be another for the next.
    group : In(range(group + 1))
        Values that count, the first ones; of the others nothing is kept. Likewise.
    o : Out(stream of DigitPlaneLayout(group))
        The lines with only the terms that are kept.

    Attributes
    ----------
    latency : int
        Cycles from a line taken to the line offered.
    """

    def __init__(self, params: WaterlineParams):
        self.params = params
        self.module_name = f"waterline_{params.group}_k{params.budget}"
        self._segments = -(-params.group // SEGMENT)
        self.latency = 3 + PrefixCount(params.group, SEGMENT).latency
        super().__init__(
            {
                "i": In(stream.Signature(params.layout)),
                "budget": In(range(params.budget + 1)),
                "group": In(range(params.group + 1)),
                "o": Out(stream.Signature(params.layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes, o = self.params.group, self.o.payload
        move = Signal()
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move)]
        there: list[Value] = [self.i.valid]
        for _ in range(self.latency - 1):
            there.append(Signal(name="there"))
        for earlier, later in zip(there, [*there[1:], self.o.valid], strict=True):
            with m.If(move):
                m.d.sync += later.eq(earlier)

        def register(value, cycles=1):
            return delayed(m, value, cycles, enable=move)

        # The line, beside what holds for its group.
        line = register(self.i.payload)
        counts = Signal(lanes)  # which values do
        budget = Signal.like(self.budget, name="budget_of_group")
        with m.If(move & self.i.valid & self.i.payload.first):
            m.d.sync += [counts.eq(Cat(n < self.group for n in range(lanes))), budget.eq(self.budget)]
        ones = Signal(lanes)
        m.d.comb += ones.eq(line.nonzero & counts)

        # How many terms it has, in all and up to each segment.
        counter = place(m, platform, "counts", PrefixCount(lanes, SEGMENT), enable=move, ones=ones)
        counted, first = counter.latency, register(line.first, counter.latency)

        # The loop: what is left at this line, and so at the next.
        left = Signal.like(self.budget, name="left")
        rest = Signal.like(self.budget, name="rest")
        sums = [counter.sums.word_select(n, counter.width) for n in range(self._segments)]
        m.d.comb += left.eq(Mux(first, register(budget, counted), rest))
        with m.If(move & there[1 + counted]):
            m.d.sync += rest.eq(remaining(m, left, sums[-1]))

        # What is left at each segment, no more than it has bits; and which terms that is enough for.
        ones, kept = register(ones, counted + 1), []
        for n, count in enumerate([None, *sums[:-1]]):
            part = ones[n * SEGMENT : (n + 1) * SEGMENT]
            here = left if count is None else remaining(m, left, count)
            kept.append(within(part, [register(more_than(here, i)) for i in range(len(part))]))
        behind = self.latency - 1
        for name, value in (
            ("nonzero", Cat(kept)),
            ("negative", register(line.negative, behind - 1)),
            ("first", register(first)),
            ("last", register(line.last, behind - 1)),
        ):
            with m.If(move):
                m.d.sync += o[name].eq(value)
        return m
