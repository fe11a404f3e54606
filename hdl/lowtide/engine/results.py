"""Results: rows of accumulators become FP32, at the scale of the product that they are of."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import numbers_layout
from lowtide.netlist import Unit, place
from lowtide.units.conversion.row_normalizer import RowNormaliser, RowNormaliserShape
from lowtide.units.stream.fifo import Queue

__all__ = ["Results"]


class Results(Unit):
    """A `RowNormaliser` that is told the scale of each tile when the tile's last beat goes into the array.

    Parameters
    ----------
    shape : RowNormaliserShape
        Columns, width, numbers of a beat.
    tiles : int
        Tiles that may be in the array.

    Members
    -------
    tile : In(1)
        The last beat of a tile goes into the array. Only while there is ``room``.
    scale, ends : In(signed(10)), In(1)
        Of that tile: exponent of an accumulator's lowest bit, and whether its product ends with it.
    room : Out(1)
        A tile may end.
    i : In(stream of shape.layout_i)
        Rows of accumulators.
    o : Out(stream of {number, last})
        FP32 numbers, column 0 of a row first, zero while there are none; ``last`` ends a product.
    over : Out(1)
        The last results of a product are taken.
    clear, overflows, underflows
        As of `RowNormaliser`.
    """

    tile: Value
    scale: Value
    ends: Value
    room: Value
    over: Value
    clear: Value
    overflows: Value
    underflows: Value

    def __init__(self, shape: RowNormaliserShape, tiles: int):
        self.shape, self.tiles = shape, tiles
        self._normaliser = RowNormaliser(shape)
        self.latency = self._normaliser.latency
        self.module_name = f"results_{self._normaliser.module_name}_{tiles}"
        super().__init__(
            {
                "tile": In(1),
                "scale": In(signed(10)),
                "ends": In(1),
                "room": Out(1),
                "i": In(stream.Signature(shape.layout_i)),
                "o": Out(stream.Signature(numbers_layout(shape.normalisers))),
                "over": Out(1),
                "clear": In(1),
                "overflows": Out(shape.counter),
                "underflows": Out(shape.counter),
            }
        )

    def elaborate(self, platform):
        m = Module()
        normaliser, entry = self._normaliser, data.StructLayout({"scale": signed(10), "end": 1})
        queue = Queue(entry.size, self.tiles)
        tile, pushed = data.View(entry, queue.o_data), Signal(entry)
        leaves = Signal()
        held = Signal(range(self.tiles + 1))
        m.d.comb += [
            pushed.scale.eq(self.scale),
            pushed.end.eq(self.ends),
            leaves.eq(self.i.valid & self.i.ready & self.i.payload.last),
            self.room.eq(held != self.tiles),
        ]
        m.d.sync += held.eq(held + self.tile - leaves)
        place(m, platform, "tiles", queue, i_valid=self.tile, i_data=pushed.as_value(), o_ready=leaves)
        row = Signal(self.shape.layout_i)
        m.d.comb += [row.data.eq(self.i.payload.data), row.last.eq(self.i.payload.last & tile.end)]
        place(
            m,
            platform,
            "normaliser",
            normaliser,
            i__payload=row.as_value(),
            i__valid=self.i.valid & queue.o_valid,
            scale=tile.scale,
            o__ready=self.o.ready,
            clear=self.clear,
        )
        m.d.comb += [
            self.i.ready.eq(normaliser.i.ready & queue.o_valid),
            self.o.valid.eq(normaliser.o.valid),
            # After a reset the pipeline holds unknown numbers, which no user may see.
            self.o.payload.number.eq(Mux(self.o.valid, normaliser.o.payload.lane, 0)),
            self.o.payload.last.eq(self.o.valid & normaliser.o.payload.last),
            self.over.eq(self.o.valid & self.o.ready & self.o.payload.last),
            self.overflows.eq(normaliser.overflows),
            self.underflows.eq(normaliser.underflows),
        ]
        return m
