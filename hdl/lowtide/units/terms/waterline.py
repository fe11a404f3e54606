"""Waterline: selects the k largest terms of a group, one exponent per cycle."""

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
    """Parameters of a sequential selector of a group's terms.

    Parameters
    ----------
    group : int
        Largest number of values of a group, ``g``.
    budget : int
        Largest number of terms that a group keeps, ``k``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    group: int = parameter(8, range(1, 65), "largest number of values of a group, g")
    budget: int = parameter(16, range(1, 1025), "largest number of terms that a group keeps, k")

    @property
    def layout(self) -> DigitPlaneLayout:
        """Layout of a digit plane."""
        return DigitPlaneLayout(self.group)


class Waterline(Unit):
    """Waterline: keeps the ``k`` largest terms of each group, or all terms if there are fewer, plane by plane.

    The waterline moves down one digit plane per cycle. The unit keeps every term of a plane, in the order of index,
    until it has kept k terms: it keeps a term if the number of terms before it in the plane is less than the remaining
    count. A pipeline counts the terms of a plane before the remaining count is known, so that the loop from plane to
    plane is one subtraction.

    The unit takes one plane per cycle, without a gap between groups. Source: Kung, McDanel and Zhang, Term Revealing,
    SC20, arXiv 2007.06389, without its overshoot.

    Parameters
    ----------
    params : WaterlineParams
        Group and budget.

    Members
    -------
    i : In(stream of DigitPlaneLayout(group))
        Digit planes of groups, the highest exponent first.
    budget : In(range(budget + 1))
        Number of terms to keep. Sampled with the first plane of a group; may change between groups.
    group : In(range(group + 1))
        Number of values in the group; the unit keeps no terms of later values. Sampled with the first plane of a group;
        may change between groups.
    o : Out(stream of DigitPlaneLayout(group))
        Digit planes with only the kept terms, ``latency`` cycles later if nothing stalls.

    Attributes
    ----------
    latency : int
        Cycles from an accepted plane to the plane on ``o``.
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

        # The plane, and the settings of its group.
        plane = register(self.i.payload)
        valid = Signal(lanes)  # values in the group
        budget = Signal.like(self.budget, name="budget_of_group")
        with m.If(move & self.i.valid & self.i.payload.first):
            m.d.sync += [valid.eq(Cat(n < self.group for n in range(lanes))), budget.eq(self.budget)]
        ones = Signal(lanes)
        m.d.comb += ones.eq(plane.nonzero & valid)

        # Terms of the plane up to the end of each segment.
        counter = place(m, platform, "counts", PrefixCount(lanes, SEGMENT), enable=move, ones=ones)
        counted, first = counter.latency, register(plane.first, counter.latency)

        # The loop: remaining count at this plane, and so at the next plane.
        left = Signal.like(self.budget, name="left")
        rest = Signal.like(self.budget, name="rest")
        sums = [counter.sums.word_select(n, counter.width) for n in range(self._segments)]
        m.d.comb += left.eq(Mux(first, register(budget, counted), rest))
        with m.If(move & there[1 + counted]):
            m.d.sync += rest.eq(remaining(m, left, sums[-1]))

        # Remaining count at each segment, saturated at its bits, and the terms that this count keeps.
        ones, kept = register(ones, counted + 1), []
        for n, count in enumerate([None, *sums[:-1]]):
            part = ones[n * SEGMENT : (n + 1) * SEGMENT]
            here = left if count is None else remaining(m, left, count)
            kept.append(within(part, [register(more_than(here, i)) for i in range(len(part))]))
        behind = self.latency - 1
        for name, value in (
            ("nonzero", Cat(kept)),
            ("negative", register(plane.negative, behind - 1)),
            ("first", register(first)),
            ("last", register(plane.last, behind - 1)),
        ):
            with m.If(move):
                m.d.sync += o[name].eq(value)
        return m
