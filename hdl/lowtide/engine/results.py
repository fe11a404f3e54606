"""Results: normalizes rows of accumulators to FP32 at the scale of their product."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit, place
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams
from lowtide.units.stream.buffers import Fifo

__all__ = ["Results"]


class Results(Unit):
    """Results: a `RowNormalizer` and a queue with the scale of each tile in the array.

    The queue gets an entry when the last beat of a tile enters the array.

    Parameters
    ----------
    params : RowNormalizerParams
        Columns, widths, and numbers per beat.
    tiles : int
        Maximum number of tiles in the array.

    Members
    -------
    tile : In(1)
        Pulses for one cycle when the last beat of a tile enters the array. Only while ``room`` is high.
    scale : In(signed(10))
        Exponent of the lowest bit of the accumulators of that tile.
    ends : In(1)
        High when that tile is the last of its product.
    room : Out(1)
        High while one more tile may end.
    i : In(stream of params.layout_i)
        Rows of accumulators.
    o : Out(stream of fp32_beat(params.normalizers))
        FP32 numbers, column 0 of a row first; zero while not valid. ``last`` is high with the last beat of a product.
    over : Out(1)
        Pulses for one cycle when the last results of a product are accepted.
    clear : In(1)
        Pulses for one cycle to clear the counters.
    overflows : Out(params.counter_bits)
        Counter of infinite results.
    underflows : Out(params.counter_bits)
        Counter of zero results whose sums were not zero.
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
                "overflows": Out(params.counter_bits),
                "underflows": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        normalizer, entry = self._normalizer, data.StructLayout({"scale": signed(10), "end": 1})
        queue = Fifo(entry.size, self.tiles)
        tile, pushed = data.View(entry, queue.o_data), Signal(entry)
        leaves = Signal()
        in_array = Signal(range(self.tiles + 1))
        m.d.comb += [
            pushed.scale.eq(self.scale),
            pushed.end.eq(self.ends),
            leaves.eq(self.i.valid & self.i.ready & self.i.payload.last),
            self.room.eq(in_array != self.tiles),
        ]
        m.d.sync += in_array.eq(in_array + self.tile - leaves)
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
            o=self.o,
            clear=self.clear,
        )
        m.d.comb += [
            self.i.ready.eq(normalizer.i.ready & queue.o_valid),
            self.o.valid.eq(normalizer.o.valid),
            # After a reset the pipeline has unknown numbers, which must stay invisible.
            self.o.payload.number.eq(Mux(self.o.valid, normalizer.o.payload.lane, 0)),
            self.o.payload.last.eq(self.o.valid & normalizer.o.payload.last),
            self.over.eq(self.o.valid & self.o.ready & self.o.payload.last),
            self.overflows.eq(normalizer.overflows),
            self.underflows.eq(normalizer.underflows),
        ]
        return m
