"""Results: adds sums on chip, and normalizes rows of accumulators to FP32 at the scale of their product."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.column_normalizer import ColumnNormalizer
from lowtide.engine.sum_memory import SumMemory, SumMemoryParams, times
from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit, place
from lowtide.units.conversion.row_normalizer import RowNormalizer, RowNormalizerParams
from lowtide.units.logic import at_most
from lowtide.units.stream.buffers import Fifo

__all__ = ["Results"]


class Results(Unit):
    """Results: a `RowNormalizer` and a queue with the scale of each tile in the array.

    The queue gets an entry when the last beat of a tile enters the array. With sums on chip, a `SumMemory` precedes the
    normalizer, and the entry also has the tile's place in the block.

    A `ColumnNormalizer` may take the place of the `RowNormalizer`. Its rows enter one product at a time: after
    ``start``, and while the factors are not ``loading``.

    Parameters
    ----------
    params : RowNormalizerParams
        Columns, widths, and numbers per beat.
    tiles : int
        Maximum number of tiles in the array, at least 2.
    sums : SumMemoryParams, optional
        Sums on chip.
    sums_across : int
        Tiles in a row of the block of sums.
    columns : ColumnNormalizer, optional
        Normalizer with an offset and a scale per column.

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
    add, keep : In(1)
        High if that tile's product adds the sums on chip, and if its sums stay on chip; only with ``sums``.
    tile_a : In(range(sums.tiles // sums_across))
        Panel of A of that tile; only with ``sums``.
    tile_b : In(range(sums_across))
        Panel of B of that tile; only with ``sums``.
    i : In(stream of (sums or params).layout_i)
        Rows of accumulators.
    start : In(1)
        Pulses for one cycle to let the rows of the next product with results enter; only with ``columns``.
    loading : In(1)
        High while no row may enter; only with factors.
    odd, scaled : In(1)
        Settings of a product, see `ColumnNormalizer`; only with ``columns``, ``scaled`` only with its factors.
    across : In(columns.across.shape())
        Tiles per row of tiles; only with factors, as ``vectors``, ``write``, ``address`` and ``data``.
    vectors : In(columns.vectors.shape())
        Rows of the product.
    write : In(2)
        Write enable of the factors and of the offsets.
    address : In(columns.address.shape())
        Beat to write.
    data : In(32 * params.normalizers)
        Factors or offsets.
    o : Out(stream of fp32_beat(params.normalizers))
        FP32 numbers, column 0 of a row first; zero while not valid. ``last`` is high with the last beat of a product.
    over : Out(range(most_over + 1))
        Products that are completed in this cycle: their last results are accepted, or their last sums are stored.
    kept : Out(1)
        Pulses for one cycle when the last sums of a product are stored; only with ``sums``.
    clear : In(1)
        Pulses for one cycle to clear the counters.
    overflows : Out(params.counter_bits)
        Counter of infinite results.
    underflows : Out(params.counter_bits)
        Counter of zero results whose sums were not zero.
    """

    def __init__(
        self,
        params: RowNormalizerParams,
        tiles: int,
        sums: SumMemoryParams | None = None,
        sums_across: int = 1,
        columns: ColumnNormalizer | None = None,
    ):
        self.params, self.tiles, self.sums, self.sums_across, self.columns = params, tiles, sums, sums_across, columns
        self._normalizer = columns or RowNormalizer(params)
        self._memory = SumMemory(sums) if sums else None
        self.most_over = 2 if sums else 1
        self.latency = self._normalizer.latency + (self._memory.latency if self._memory else 0)
        kept = f"_{self._memory.module_name}_{sums_across}" if self._memory else ""
        self.module_name = f"results_{self._normalizer.module_name}_{tiles}{kept}"
        places = {}
        if sums:
            down = range(sums.tiles // sums_across)
            places = {"add": In(1), "keep": In(1), "tile_a": In(down), "tile_b": In(range(sums_across))}
        self._columns = {name: columns.signature.members[name] for name in columns.settings} if columns else {}
        gate = {"start": In(1), **({"loading": In(1)} if columns and columns.tiles else {})} if columns else {}
        super().__init__(
            {
                "tile": In(1),
                "scale": In(signed(10)),
                "ends": In(1),
                "room": Out(1),
                **places,
                "i": In(stream.Signature((sums or params).layout_i)),
                **gate,
                **self._columns,
                "o": Out(stream.Signature(fp32_beat(params.normalizers))),
                "over": Out(range(self.most_over + 1)),
                **({"kept": Out(1)} if sums else {}),
                "clear": In(1),
                "overflows": Out(params.counter_bits),
                "underflows": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        entry = self.sums.layout_tile if self.sums else data.StructLayout({"scale": signed(10), "end": 1})
        normalizer = self._normalizer
        queue = Fifo(entry.size, self.tiles)
        tile, pushed = data.View(entry, queue.o_data), Signal(entry)
        leaves = Signal()
        issued = Signal()  # a tile was issued in the cycle before
        entered = Signal(entry)
        in_array = Signal(range(self.tiles + 1))
        m.d.comb += [
            pushed.scale.eq(self.scale),
            pushed.end.eq(self.ends),
            leaves.eq(self.i.valid & self.i.ready & self.i.payload.last),
            # One more tile may have been issued.
            self.room.eq(at_most(in_array, self.tiles - 2)),
        ]
        enters = Signal() if self.columns else Const(1)  # a row may enter the normalizer
        accepts = normalizer.i.ready & enters if self.columns else normalizer.i.ready
        # From the array's `ready` to the queue is too long a path for one cycle on a full chip.
        m.d.sync += [issued.eq(self.tile), entered.eq(pushed), in_array.eq(in_array + issued - leaves)]
        if self._memory:
            row, valid, scale = self._sums(m, platform, self._memory, queue, pushed, issued, entered, accepts)
        else:
            place(m, platform, "tiles", queue, i_valid=issued, i_data=entered.as_value(), o_ready=leaves)
            row = Signal(self.params.layout_i)
            m.d.comb += [row.data.eq(self.i.payload.data), row.last.eq(self.i.payload.last & tile.end)]
            m.d.comb += self.i.ready.eq(accepts & queue.o_valid)
            valid, scale = self.i.valid & queue.o_valid, tile.scale
        if self.columns:
            loading = self.loading if self.columns.tiles else Const(0)
            self._gate(m, enters, loading, row.last & valid & accepts)
            valid = valid & enters
        place(
            m,
            platform,
            "normalizer",
            normalizer,
            i__payload=row.as_value(),
            i__valid=valid,
            scale=scale,
            o=self.o,
            clear=self.clear,
            **{name: getattr(self, name) for name in self._columns},
            **({"start": self.start} if self.columns and self.columns.tiles else {}),
        )
        sent = self.o.valid & self.o.ready & self.o.payload.last
        m.d.comb += [
            self.o.valid.eq(normalizer.o.valid),
            # After a reset the pipeline has unknown numbers, which must stay invisible.
            self.o.payload.number.eq(Mux(self.o.valid, normalizer.o.payload.lane, 0)),
            self.o.payload.last.eq(self.o.valid & normalizer.o.payload.last),
            self.over.eq(sent if self._memory is None else sent + self._memory.kept),
            self.overflows.eq(normalizer.overflows),
            self.underflows.eq(normalizer.underflows),
        ]
        return m

    def _gate(self, m: Module, enters: Signal, loading: Value, ends: Value) -> None:
        """Let the rows of a product enter, from its start to its last row."""
        running = Signal()
        with m.If(ends):
            m.d.sync += running.eq(0)
        with m.If(self.start):
            m.d.sync += running.eq(1)
        m.d.comb += enters.eq(running & ~loading)

    def _sums(self, m, platform, memory, queue, pushed, issued, entered, accepts):
        """Place the queue and the sum memory; return the normalizer's rows, whether one is valid, and its scale."""
        row = Signal(self.params.layout_i)
        m.d.comb += [
            pushed.add.eq(self.add),
            pushed.keep.eq(self.keep),
            pushed.index.eq(times(self.tile_a, self.sums_across) + self.tile_b),
        ]
        place(m, platform, "tiles", queue, i_valid=issued, i_data=entered.as_value(), o_ready=memory.tile.ready)
        place(
            m,
            platform,
            "sums",
            memory,
            tile__payload=queue.o_data,
            tile__valid=queue.o_valid,
            i=self.i,
            o__ready=accepts,
        )
        m.d.comb += [
            row.data.eq(memory.o.payload.data),
            row.last.eq(memory.o.payload.last),
            self.i.ready.eq(memory.i.ready),
            self.kept.eq(memory.kept),
        ]
        return row, memory.o.valid, memory.o.payload.scale
