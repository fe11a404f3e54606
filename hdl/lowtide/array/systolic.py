"""Systolic array: operand streams in, a result stream out."""

from collections.abc import Callable

from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.core import SystolicCore
from lowtide.array.element import Element
from lowtide.array.skew import Skew, skew
from lowtide.formats.beats import word_beat
from lowtide.netlist import Structure

__all__ = ["SystolicArray"]


class SystolicArray(Structure):
    """Systolic array: output-stationary matrix product for any kind of element.

    A tile is ``C[r, c] = sum over beats of A[r] * B[c]``, exact, for ``rows`` × ``columns`` results. Each beat carries
    one word for every row and every column, and the element defines the product of two words. With `Fmac` a word is a
    chunk of a group, and operands with several chunks take one beat per chunk pair, in any order. A tile has any
    number of beats.

    Rows of results leave while the next tile runs. Tiles follow each other without a gap, but their last beats are at
    least ``spacing`` cycles apart, because a tile needs that time to drain.

    The array itself never stalls. While a stream offers no beat, the array receives zeros. While results are not
    accepted, they wait in a queue, and no tile ends before all of its results fit into that queue. So no register
    needs an enable, and no enable has to reach the whole array in one cycle.

    Latency without waiting: ``latency`` cycles from the last accepted beat to the valid row 0, then one row every
    second cycle.

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    element : function
        Makes a processing element, as `Grid` takes it.
    skew : str
        Where operands wait for their row or column: in ``registers`` or in ``memory``, see `Skew`.
    block : tuple of two int
        Rows and columns of a block of elements that share registers, see `Grid`.

    Members
    -------
    a : In(stream of word_beat(rows * core.width_a))
        Beats of A: one word per row, row 0 in the lowest bits. ``last`` ends a tile.
    b : In(stream of word_beat(columns * core.width_b))
        Beats of B: one word per column. A beat is accepted from ``a`` and ``b`` at once, and ``last`` must agree.
    c : Out(stream of word_beat(columns * element().accumulator))
        Rows of the tile: ``columns`` signed accumulators. ``last`` is high with the last row.
    misaligned : Out(1)
        High after ``last`` arrived on ``a`` or ``b`` alone, until reset.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        element: Callable[..., Element],
        skew: str = "registers",
        block: tuple[int, int] = (1, 1),
    ):
        self._core = core = SystolicCore(rows, columns, element, Skew.latency, block)
        self.element = element
        self.rows, self.columns, self.skew, self.block = rows, columns, skew, block
        self.latency = core.latency
        self.spacing = core.spacing
        blocks = "" if block == (1, 1) else "_by_{}x{}".format(*block)
        memory = "_memory_skew" if skew == "memory" else ""
        self.module_name = f"systolic_array_{rows}x{columns}{blocks}{memory}_{element().module_name}"
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
            core.feeder(),
            room=core.room,
            a_valid=self.a.valid,
            a_last=self.a.payload.last,
            b_valid=self.b.valid,
            b_last=self.b.payload.last,
        )
        skew_a = skew(len(core.a), core.width_a * self.block[0], self.skew)
        skew_b = skew(len(core.b), core.width_b * self.block[1], self.skew)
        place("skew_a", skew_a, idle_i=feeder.idle, i=self.a.payload.data)
        place("skew_b", skew_b, idle_i=feeder.idle, i=self.b.payload.data)
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
