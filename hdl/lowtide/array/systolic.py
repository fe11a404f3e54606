"""The systolic array: streams of operands in, a stream of results out."""

from functools import partial

from amaranth.hdl import Cat, Const
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.beat import beat_layout
from lowtide.array.collector import Collector
from lowtide.array.delay import ShiftRegister, delay
from lowtide.array.feeder import Feeder
from lowtide.array.grid import grid
from lowtide.array.shape import ArrayShape
from lowtide.array.skew import Skew, skew
from lowtide.formats.bfp import Bfp
from lowtide.hierarchy import Structure
from lowtide.units.fmac import Fmac

__all__ = ["SystolicArray"]


class SystolicArray(Structure):
    """Output-stationary matrix product in block floating point.

    A tile is ``C[r, c] = sum over beats of dot(A[r], B[c])``, exact, for ``rows`` × ``columns`` results: each beat
    brings one chunk of a group for every row and every column. A product of operands with more chunks takes a
    beat for each pair of them; their order does not matter. Any number of beats makes a tile.

    Rows of results come out while the next tile runs. Tiles follow each other after one idle beat, and not faster
    than one every ``2 * rows`` cycles, which is how long a tile takes to leave.

    The array itself never stops. Where a stream offers no operands, zeros go through it; where results are not
    accepted, they wait in a queue, and no tile ends before the queue has a place for all of it. So no enable has to
    reach every register in a cycle, and no register has one.

    Latency, nothing waiting: from the last beat taken to the valid row 0, ``latency`` cycles; a row every second
    cycle after that.

    Parameters
    ----------
    shape : ArrayShape
        Rows, columns, kind of element.
    bfp : Bfp
        Formats of the operands, and width of the accumulator.

    Members
    -------
    a, b : In(stream of {data, last})
        Beats: ``rows`` (``columns``) words of ``bfp.layout_a`` (``layout_b``), word 0 in the lowest bits. A beat is
        taken from both at once. ``last`` ends a tile, on both.
    c : Out(stream of {data, last})
        Rows of the tile: ``columns`` signed words of ``bfp.accumulator`` bits. ``last`` marks the last row.
    misaligned : Out(1)
        Goes high, and stays until reset, when ``last`` came on ``a`` or ``b`` alone.
    """

    def __init__(self, shape: ArrayShape, bfp: Bfp):
        self.shape, self.bfp = shape, bfp
        self.width_a, self.width_b = bfp.layout_a.size, bfp.layout_b.size
        self.element = partial(Fmac, bfp)
        self._result_delay = Skew.latency + self.element().latency
        # Between the end of a tile and its first row, those of others may be on their way, one in two cycles.
        underway = (self._result_delay + shape.columns + 5) // 2
        self._collector = Collector(shape.rows, shape.columns, bfp.accumulator, shape.rows + underway)
        self.latency = 1 + self._result_delay + self._collector.latency
        self.module_name = f"systolic_array_{shape.rows}x{shape.columns}_{self.element().module_name}"
        super().__init__(
            {
                "a": In(stream.Signature(beat_layout(shape.rows * self.width_a))),
                "b": In(stream.Signature(beat_layout(shape.columns * self.width_b))),
                "c": Out(stream.Signature(beat_layout(shape.columns * bfp.accumulator))),
                "misaligned": Out(1),
            }
        )

    def wire(self, place):
        rows, columns = self.shape.rows, self.shape.columns
        cells = grid(rows, columns, self.element)
        collector = self._collector

        feeder = place(
            "feeder",
            Feeder(2 * rows),
            room=collector.room,
            a_valid=self.a.valid,
            a_last=self.a.payload.last,
            b_valid=self.b.valid,
            b_last=self.b.payload.last,
        )
        skew_a = place("skew_a", skew(rows, self.width_a), idle_i=feeder.idle, i=self.a.payload.data)
        skew_b = place("skew_b", skew(columns, self.width_b), idle_i=feeder.idle, i=self.b.payload.data)
        restart = place("restart", ShiftRegister(Skew.latency - 1 + rows), i=feeder.restart)
        place(
            "grid",
            cells,
            a_i=skew_a.o,
            b_i=skew_b.o,
            restart_i=restart.o[Skew.latency - 1 :],
            drain_i=Const(0, columns * collector.half),
        )
        start = place("result_delay", delay(self._result_delay, 1, reset_less=False), i=feeder.finished)
        place(
            "collector",
            collector,
            promise=feeder.finished,
            start=start.o,
            halves=cells.drain_o,
            ready=self.c.ready,
        )
        return {
            "a__ready": feeder.a_ready,
            "b__ready": feeder.b_ready,
            "c__valid": collector.valid,
            "c__payload": Cat(collector.data, collector.last),
            "misaligned": feeder.misaligned,
        }
