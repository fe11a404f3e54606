"""Row normaliser: rows of an array's results become FP32, some numbers a cycle."""

import attrs
from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.saturating_counter import Tally
from lowtide.units.conversion.normalizer import Normaliser, NormaliserShape
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.downsizer import Dealer, check_lanes

__all__ = ["RowNormaliser", "RowNormaliserShape"]


@attrs.frozen(kw_only=True)
class RowNormaliserShape:
    """What a row normaliser is generated for.

    Parameters
    ----------
    columns : int
        Accumulators of a row.
    width : int
        Bits of an accumulator.
    normalisers : int
        Numbers a cycle, a divisor of ``columns``: a row takes ``columns / normalisers`` cycles.
    counter : int
        Bits of the counters of what left the range.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or ``normalisers`` does not divide ``columns``.
    """

    columns: int = parameter(8, range(1, 513), "accumulators of a row")
    width: int = parameter(35, range(2, 129), "bits of an accumulator")
    normalisers: int = parameter(1, range(1, 513), "numbers a cycle, a divisor of the columns")
    counter: int = parameter(16, range(10, 33), "bits of the counters of what left the range")

    def __attrs_post_init__(self):
        check_lanes("normalisers", self.normalisers, self.columns)

    @property
    def beats(self) -> int:
        """Cycles that a row takes."""
        return self.columns // self.normalisers

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a row of accumulators, as an array offers it."""
        return data.StructLayout({"data": self.columns * self.width, "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a beat of numbers: lane 0 is the lowest column; a row ends with it; a tile ends with it."""
        return data.StructLayout({"lane": data.ArrayLayout(FP32, self.normalisers), "row": 1, "last": 1})


class RowNormaliser(Unit):
    """Gives rows of accumulators in FP32, ``normalisers`` of the columns in a cycle, column 0 first.

    A row waits where it is offered until its last beat is chosen from it, as of `Dealer`.

    Where all results are to keep up with the array, ``normalisers >= rows * columns / max(beats + 1, 2 * rows)``
    for tiles of as many rows and operand beats.

    Parameters
    ----------
    shape : RowNormaliserShape
        Columns, width, normalisers.

    Members
    -------
    i : In(stream of {data: columns * width, last: 1})
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    scale : In(signed(10))
        Exponent of an accumulator's lowest bit. Steady while a row is offered; it may be another for the next.
    o : Out(stream of {lane: normalisers times FP32, row: 1, last: 1})
        Beats of numbers, the first of a row ``latency`` cycles after it is offered if nothing stalls. ``row`` marks the
        last beat of a row, ``last`` that of a tile.
    clear : In(1)
        Start the counts again.
    overflows, underflows : Out(counter)
        Numbers that were infinite, or zero though their accumulators were not, among those that were taken since reset
        or ``clear``; the largest count if there were more. They show up ``Tally.latency`` cycles after they are taken.

    Attributes
    ----------
    latency : int
        Cycles from a row offered to its first beat offered.
    """

    scale: Value
    clear: Value
    overflows: Value
    underflows: Value

    def __init__(self, shape: RowNormaliserShape):
        self.shape = shape
        self.module_name = f"row_normaliser_{shape.columns}x{shape.width}_n{shape.normalisers}_c{shape.counter}"
        self._core = NormaliserShape(width=shape.width)
        self._dealer = Dealer(shape.columns, shape.width, shape.normalisers)
        self.latency = self._dealer.latency + Normaliser(self._core).latency
        super().__init__(
            {
                "i": In(stream.Signature(shape.layout_i)),
                "scale": In(signed(10)),
                "o": Out(stream.Signature(shape.layout_o)),
                "clear": In(1),
                "overflows": Out(shape.counter),
                "underflows": Out(shape.counter),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        count, move = shape.normalisers, Signal()
        dealer = place(
            m,
            platform,
            "dealer",
            self._dealer,
            enable=move,
            i__payload=self.i.payload,
            i__valid=self.i.valid,
        )
        # All are alike and in step: the first one's handshake and mark are those of all.
        scale = delayed(m, self.scale, dealer.latency, enable=move)
        normalisers = [
            place(
                m,
                platform,
                f"normaliser_{n}",
                Normaliser(self._core),
                i__payload=Cat(dealer.words.word_select(n, shape.width), dealer.last),
                i__valid=dealer.valid,
                scale=scale,
                o__ready=self.o.ready,
            )
            for n in range(count)
        ]
        first = normalisers[0]
        m.d.comb += [
            move.eq(first.i.ready),
            self.i.ready.eq(dealer.i.ready),
            self.o.valid.eq(first.o.valid),
            self.o.payload.row.eq(delayed(m, dealer.row, first.latency, enable=move)),
            self.o.payload.last.eq(first.o.payload.last),
        ]
        m.d.comb += [lane.eq(n.o.payload.data) for lane, n in zip(self.o.payload.lane, normalisers, strict=True)]

        taken = self.o.valid & self.o.ready
        for kind in ("overflow", "underflow"):
            events = Cat(getattr(n, kind) for n in normalisers) & taken.replicate(count)
            tally = place(m, platform, f"{kind}s", Tally(count, shape.counter), events=events, clear=self.clear)
            m.d.comb += getattr(self, f"{kind}s").eq(tally.count)
        return m
