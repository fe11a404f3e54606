"""Results: rows of accumulators become FP32, at the scale of the product that they are of."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit, place
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams
from lowtide.units.stream.fifo import Fifo

__all__ = ["Results"]


class Results(Unit):
    """A `RowNormalizer` that is told the scale of each tile when the tile's last beat goes into the array.

    Parameters
    ----------
    params : RowNormalizerParams
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
    i : In(stream of params.layout_i)
        Rows of accumulators.
    o : Out(stream of {number, last})
        FP32 numbers, column 0 of a row first, zero while there are none; ``last`` ends a product.
    over : Out(1)
        The last results of a product are taken.
    clear, overflows, underflows
        As of `RowNormalizer`.
    """

    def __init__(self, params: RowNormalizerParams, tiles: int):
        self.params, self.tiles = params, tiles
        self._normalizer = RowNormalizer(params)
        self.latency = self._normalizer.latency
        self.module_name = f"results_{self._normalizer.module_name}_{tiles}"
        super().__init__(
            {
                "tile": In(1),
                "scale": In(signed(10)),
                "ends": In(1),
                "room": Out(1),
                "i": In(stream.Signature(params.layout_i)),
                "o": Out(stream.Signature(fp32_beat(params.normalizers))),
                "over": Out(1),
                "clear": In(1),
                "overflows": Out(params.counter),
                "underflows": Out(params.counter),
            }
        )

    def elaborate(self, platform):
        m = Module()
        normalizer, entry = self._normalizer, data.StructLayout({"scale": signed(10), "end": 1})
        queue = Fifo(entry.size, self.tiles)
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
        row = Signal(self.params.layout_i)
        m.d.comb += [row.data.eq(self.i.payload.data), row.last.eq(self.i.payload.last & tile.end)]
        place(
            m,
            platform,
            "normalizer",
            normalizer,
            i__payload=row.as_value(),
            i__valid=self.i.valid & queue.o_valid,
            scale=tile.scale,
            o__ready=self.o.ready,
            clear=self.clear,
        )
        m.d.comb += [
            self.i.ready.eq(normalizer.i.ready & queue.o_valid),
            self.o.valid.eq(normalizer.o.valid),
            # After a reset the pipeline holds unknown numbers, which no user may see.
            self.o.payload.number.eq(Mux(self.o.valid, normalizer.o.payload.lane, 0)),
            self.o.payload.last.eq(self.o.valid & normalizer.o.payload.last),
            self.over.eq(self.o.valid & self.o.ready & self.o.payload.last),
            self.overflows.eq(normalizer.overflows),
            self.underflows.eq(normalizer.underflows),
        ]
        return m
