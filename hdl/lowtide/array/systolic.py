"""The systolic array: streams of operands in, a stream of results out."""

from collections.abc import Callable

from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.core import SystolicCore
from lowtide.array.element import Element
from lowtide.array.feeder import Feeder
from lowtide.array.skew import Skew, skew
from lowtide.formats.beats import word_beat
from lowtide.netlist import Structure

__all__ = ["SystolicArray"]


class SystolicArray(Structure):
    """Output-stationary matrix product, of whatever operands its elements take.

    A tile is ``C[r, c] = sum over beats of`` what an element makes ``of A[r] and B[c]``, exact, for ``rows`` ×
    ``columns`` results: each beat brings a word for every row and every column. With `Fmac` that is a chunk of a group,
    and a product of operands with more chunks takes a beat for each pair of them; their order does not matter. Any
    number of beats makes a tile.

    Rows of results come out while the next tile runs. Tiles follow each other after one idle beat, and not faster
    than one every ``spacing`` cycles, which is how long a tile takes to leave.

    The array itself never stops. Where a stream offers no operands, zeros go through it; where results are not
    accepted, they wait in a queue, and no tile ends before the queue has a place for all of it. So no enable has to
    reach every register in a cycle, and no register has one.

    Latency, nothing waiting: from the last beat taken to the valid row 0, ``latency`` cycles; a row every second
    cycle after that.

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    element : function without arguments
        Makes a processing element.

    Members
    -------
    a, b : In(stream of {data, last})
        Beats: ``rows`` (``columns``) words as an element takes them, word 0 in the lowest bits. A beat is taken from
        both at once. ``last`` ends a tile, on both.
    c : Out(stream of {data, last})
        Rows of the tile: ``columns`` signed words of an element's accumulator. ``last`` marks the last row.
    misaligned : Out(1)
        Goes high, and stays until reset, when ``last`` came on ``a`` or ``b`` alone.
    """

    def __init__(self, rows: int, columns: int, element: Callable[[], Element]):
        self._core = core = SystolicCore(rows, columns, element, Skew.latency)
        self.element, self._restarts = element, element().restarts
        self.rows, self.columns = rows, columns
        self.latency = 1 + core.latency
        self.spacing = core.spacing
        self.module_name = f"systolic_array_{rows}x{columns}_{element().module_name}"
        super().__init__(
            {
                "a": In(stream.Signature(word_beat(len(core.a)))),
                "b": In(stream.Signature(word_beat(len(core.b)))),
                "c": Out(stream.Signature(word_beat(len(core.data)))),
                "misaligned": Out(1),
            }
        )

    def wire(self, place):
        core = self._core
        feeder = place(
            "feeder",
            Feeder(self.spacing, self._restarts),
            room=core.room,
            a_valid=self.a.valid,
            a_last=self.a.payload.last,
            b_valid=self.b.valid,
            b_last=self.b.payload.last,
        )
        skew_a = place("skew_a", skew(self.rows, core.width_a), idle_i=feeder.idle, i=self.a.payload.data)
        skew_b = place("skew_b", skew(self.columns, core.width_b), idle_i=feeder.idle, i=self.b.payload.data)
        place(
            "core",
            core,
            a=skew_a.o,
            b=skew_b.o,
            restart=feeder.restart,
            finished=feeder.finished,
            ready=self.c.ready,
        )
        return {
            "a__ready": feeder.a_ready,
            "b__ready": feeder.b_ready,
            "c__valid": core.valid,
            "c__payload": Cat(core.data, core.last),
            "misaligned": feeder.misaligned,
        }
