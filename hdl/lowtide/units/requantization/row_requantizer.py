"""Row requantiser: rows of an array's results become data of the next layer, some values a cycle."""

import attrs
from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.saturating_counter import Tally
from lowtide.units.requantization.requantizer import Requantiser, RequantiserShape
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.downsizer import Dealer, check_lanes

__all__ = ["RowRequantiser", "RowRequantiserShape"]


@attrs.frozen(kw_only=True)
class RowRequantiserShape(RequantiserShape):
    """What a row requantiser is generated for: a `RequantiserShape`, and rows.

    Parameters
    ----------
    columns : int
        Accumulators of a row.
    lanes : int
        Values a cycle, a divisor of ``columns``: a row takes ``columns / lanes`` cycles.
    counter : int
        Bits of the counter of values that were held.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or ``lanes`` does not divide ``columns``.
    """

    columns: int = parameter(8, range(1, 513), "accumulators of a row")
    lanes: int = parameter(1, range(1, 513), "values a cycle, a divisor of the columns")
    counter: int = parameter(16, range(10, 33), "bits of the counter of values that were held")

    def __attrs_post_init__(self):
        check_lanes("lanes", self.lanes, self.columns)

    @property
    def one(self) -> RequantiserShape:
        """What each of its requantisers is generated for."""
        names = [field.name for field in attrs.fields(RequantiserShape)]
        return RequantiserShape(**{name: getattr(self, name) for name in names})

    @property
    def layout_settings(self) -> data.StructLayout:
        """Layout of all settings in a word."""
        return data.StructLayout({name: port.shape for name, port in self.settings.items()})

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a row of accumulators, as an array offers it."""
        return data.StructLayout({"data": self.columns * self.accumulator, "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a beat of values: lane 0 is the lowest column; a row ends with it; a tile ends with it."""
        lanes = data.ArrayLayout(signed(self.revealed), self.lanes)
        return data.StructLayout({"lane": lanes, "row": 1, "last": 1})


class RowRequantiser(Unit):
    """Gives rows of accumulators as data of the next layer, ``lanes`` of the columns in a cycle, column 0 first.

    A row waits where it is offered until its last beat is chosen from it, as of `Dealer`; all that a `Requantiser`
    does is done to each value. The settings hold for all columns.

    Where all results are to keep up with the array, ``lanes >= rows * columns / max(beats + 1, 2 * rows)`` for tiles
    of as many rows and operand beats.

    Parameters
    ----------
    shape : RowRequantiserShape
        Columns, lanes, and those of a requantiser.

    Members
    -------
    i : In(stream of {data: columns * accumulator, last: 1})
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    multiplier, shift, relu, data_terms : In
        As of `Requantiser`. Steady while a row is offered; they may be others for the next.
    o : Out(stream of {lane: lanes times signed(digits + 1), row: 1, last: 1})
        Beats of values, the first of a row ``latency`` cycles after it is offered if nothing stalls. ``row`` marks the
        last beat of a row, ``last`` that of a tile.
    clear : In(1)
        Start the count again.
    saturations : Out(counter)
        Values that were held, among those that were taken since reset or ``clear``; the largest count if there were
        more. They show up ``Tally.latency`` cycles after they are taken.

    Attributes
    ----------
    latency : int
        Cycles from a row offered to its first beat offered.
    """

    multiplier: Value
    shift: Value
    relu: Value
    data_terms: Value
    clear: Value
    saturations: Value

    def __init__(self, shape: RowRequantiserShape):
        self.shape = shape
        self.module_name = f"row_requantiser_{shape.columns}x{shape.name}_n{shape.lanes}_c{shape.counter}"
        self._dealer = Dealer(shape.columns, shape.accumulator, shape.lanes)
        self.latency = self._dealer.latency + Requantiser(shape.one).latency
        super().__init__(
            {
                "i": In(stream.Signature(shape.layout_i)),
                **shape.settings,
                "o": Out(stream.Signature(shape.layout_o)),
                "clear": In(1),
                "saturations": Out(shape.counter),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shape, move = self.shape, Signal()
        dealer = place(
            m, platform, "dealer", self._dealer, enable=move, i__payload=self.i.payload, i__valid=self.i.valid
        )
        # All are alike and in step: the first one's handshake and mark are those of all.
        settings = {name: delayed(m, getattr(self, name), dealer.latency, enable=move) for name in shape.settings}
        requantisers = [
            place(
                m,
                platform,
                f"requantiser_{n}",
                Requantiser(shape.one),
                i__payload=Cat(dealer.words.word_select(n, shape.accumulator), dealer.last),
                i__valid=dealer.valid,
                o__ready=self.o.ready,
                **settings,
            )
            for n in range(shape.lanes)
        ]
        first = requantisers[0]
        m.d.comb += [
            move.eq(first.i.ready),
            self.i.ready.eq(dealer.i.ready),
            self.o.valid.eq(first.o.valid),
            self.o.payload.row.eq(delayed(m, dealer.row, first.latency, enable=move)),
            self.o.payload.last.eq(first.o.payload.last),
        ]
        m.d.comb += [lane.eq(n.o.payload.data) for lane, n in zip(self.o.payload.lane, requantisers, strict=True)]

        taken = self.o.valid & self.o.ready
        events = Cat(n.saturated for n in requantisers) & taken.replicate(shape.lanes)
        tally = place(m, platform, "saturations", Tally(shape.lanes, shape.counter), events=events, clear=self.clear)
        m.d.comb += self.saturations.eq(tally.count)
        return m
