"""Output stage: what follows a product, from its FP32 results to the stream of results."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.column_loader import ColumnLoader
from lowtide.engine.integer_results import IntegerResults
from lowtide.engine.packed_results import PackedResults
from lowtide.engine.params import EngineParams
from lowtide.engine.post_operations import PostOperations
from lowtide.engine.result_layout import FinishLayout, ResultLayout
from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit, place
from lowtide.units.stream.buffers import Fifo

__all__ = ["PRODUCTS", "OutputStage"]

PRODUCTS = 4
"""Most products whose settings wait, including the current one."""


class OutputStage(Unit):
    """Output stage: applies post operations to the results of each product, and packs them into groups or integers.

    The settings of each product wait in a queue. The results of a product enter after the results of the product before
    have left. In an engine of integers, a `ColumnLoader` takes the offsets and scales of the columns of each product,
    and the rows of the product enter the normalizer after ``begins``.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    bfp : Bfp or None
        Format of the groups; None for an engine of integers.
    params : EngineParams
        Numbers per beat, buffer depth, random words, and whether there are post operations, packed results, and scales.
    sums : bool
        Whether the engine has sums on chip.
    width : int
        Bits of an integer of packed results; only for an engine of integers.

    Members
    -------
    product : In(1)
        Pulses for one cycle to add ``finish`` to the queue, which has room for `PRODUCTS` products.
    finish : In(self.finish_layout)
        Settings of a product and the size of its results.
    kept : In(1)
        Pulses for one cycle when a product without results is completed; only with ``sums``.
    d : In(stream of fp32_beat(params.output_width))
        Scales, offsets and addends, see `ColumnLoader` and `PostOperations`; only with ``params.takes_addends``.
    i : In(stream of fp32_beat(params.output_width))
        Results of the array, tile by tile; ``last`` is high with the last beat of a product.
    o : Out(stream of fp32_beat(params.output_width))
        Results; ``last`` is high with the last beat of a product. Zero while not valid.
    over : Out(range(3 if sums else 2))
        Products that are completed in this cycle: all results are accepted and the addends have ended, or ``kept``.
    d_short : Out(1)
        Pulses for one cycle when the addends end too early; only with ``params.takes_addends``.
    d_long : Out(1)
        Pulses for one cycle when the addends do not end with their last beat; only with ``params.takes_addends``.
    begins : Out(1)
        Pulses for one cycle when a product begins; only for integers with scales or packed results, as ``odd``.
    odd : Out(1)
        High while the product's results are rounded to odd: packed integers to which nothing is added.
    scaled : Out(1)
        High while the product has scales; only with ``params.column_scale``.
    across : Out(range(params.buffer_depth + 1))
        Tiles per row of tiles of the product; only with ``params.column_scale``.
    vectors : Out(range(rows * params.buffer_depth + 1))
        Rows of the product; only with ``params.column_scale``.
    write : Out(2)
        Write enables of the scales and offsets, see `ColumnLoader`; only with ``params.column_scale``.
    address : Out(loader.address.shape())
        Beat to write; only with ``params.column_scale``.
    data : Out(32 * params.output_width)
        Scales or offsets; only with ``params.column_scale``.
    loading : Out(1)
        High until all scales and offsets are written; only with ``params.column_scale``.
    exp_saturated : Out(1)
        Pulses for one cycle with a group whose exponent is above the window; only with packed groups.
    nonfinite : Out(1)
        Pulses for one cycle with a group that has a NaN or an infinity; only with packed groups.
    saturated : Out(range((bfp.lanes if bfp else 1) + 1))
        Number of elements saturated at the largest magnitude in this cycle; only with packed results.
    """

    def __init__(self, rows: int, columns: int, bfp: Bfp | None, params: EngineParams, sums: bool, width: int = 0):
        vectors, length = rows * params.buffer_depth, columns * params.buffer_depth
        tiles = params.bias_tiles(columns)
        self.finish_layout = FinishLayout(ResultLayout(bfp, params), vectors, length, params.buffer_depth)
        self.post = PostOperations(rows, columns, params.output_width, tiles, params.buffer_depth, vectors)
        self.packed = None
        if params.packed_results and bfp:
            self.packed = PackedResults(rows, columns, bfp, params)
        elif params.packed_results:
            self.packed = IntegerResults(rows, columns, width, params)
        self.params, self.sums = params, sums
        self.one_product = bfp is None and (params.packed_results or params.column_scale)
        self.loader = None
        ports = {"kept": In(1)} if sums else {}
        names = []
        if self.one_product:
            ports |= {"begins": Out(1), "odd": Out(1)}
        if params.column_scale:
            beats = columns // params.output_width
            self.loader = ColumnLoader(beats, params.output_width, tiles, params.buffer_depth, params.post_operations)
            names.append(self.loader.module_name)
            ports |= {
                "scaled": Out(1),
                "across": Out(range(params.buffer_depth + 1)),
                "vectors": Out(range(vectors + 1)),
            }
            ports |= {name: self.loader.signature.members[name] for name in ("write", "address", "data", "loading")}
        if params.takes_addends:
            ports |= {"d": In(stream.Signature(fp32_beat(params.output_width))), "d_short": Out(1), "d_long": Out(1)}
        if params.post_operations:
            names.append(self.post.module_name)
        if self.packed:
            names.append(self.packed.module_name)
            ports |= {name: self.packed.signature.members[name] for name in self.events}
        self.module_name = f"output_stage_{'_'.join(names)}" + "_sums" * sums
        beat = fp32_beat(params.output_width)
        super().__init__(
            {
                "product": In(1),
                "finish": In(self.finish_layout),
                "i": In(stream.Signature(beat)),
                "o": Out(stream.Signature(beat)),
                "over": Out(range(3 if sums else 2)),
                **ports,
            }
        )

    @property
    def events(self) -> tuple[str, ...]:
        """Ports of the events of packed results."""
        if self.packed is None:
            return ()
        return ("exp_saturated", "nonfinite", "saturated") if isinstance(self.packed, PackedResults) else ("saturated",)

    def elaborate(self, platform):
        m = Module()
        queue = Fifo(self.finish_layout.size, PRODUCTS)
        finish = Signal(self.finish_layout)
        begun = Signal()
        start = Signal()
        ended = Signal()  # all results are accepted
        leaves = Signal()
        addends_busy = Signal()
        place(m, platform, "products", queue, i_valid=self.product, i_data=self.finish.as_value(), o_ready=leaves)
        m.d.comb += [
            finish.eq(queue.o_data),
            start.eq(queue.o_valid & ~begun),
            leaves.eq(begun & ended & ~addends_busy),
            self.over.eq(leaves + self.kept if self.sums else leaves),
        ]
        m.d.sync += begun.eq(queue.o_valid & ~leaves)
        with m.If(self.o.valid & self.o.ready & self.o.payload.last):
            m.d.sync += ended.eq(1)
        with m.If(leaves):
            m.d.sync += ended.eq(0)

        if self.one_product:
            m.d.comb += [self.begins.eq(start), self.odd.eq(self._odd(finish.settings))]
        # FP32 results after the post operations, and whether they are accepted.
        ready = Signal()
        if self.loader:
            self._load(m, platform, self.loader, finish, start)
        if self.params.post_operations:
            valid, beat = self._add(m, platform, finish, start, ready)
        else:
            valid, beat = self._pass(m, begun, leaves, ready)
        self._faults(m, addends_busy)
        packed = Const(0)
        words, words_valid, room = Const(0, len(beat)), Const(0), Const(0)
        if self.packed:
            packed = finish.settings.packed
            results = self._pack(m, platform, finish, start & packed, beat, valid & packed)
            words, words_valid, room = results.o.payload.as_value(), results.o.valid, results.i.ready
        m.d.comb += [
            ready.eq(Mux(packed, room, self.o.ready)),
            self.o.valid.eq(Mux(packed, words_valid, valid)),
            # After a reset the pipelines have unknown numbers, which must stay invisible.
            self.o.payload.eq(Mux(self.o.valid, Mux(packed, words, beat), 0)),
        ]
        return m

    def _pass(self, m: Module, begun: Value, leaves: Value, ready: Value) -> tuple[Value, Value]:
        """Pass the results of the current product; return whether a beat is valid, and the beat."""
        taken = Signal()  # all results are taken
        valid = Signal()
        m.d.comb += [valid.eq(self.i.valid & begun & ~taken), self.i.ready.eq(ready & begun & ~taken)]
        with m.If(valid & ready & self.i.payload.last):
            m.d.sync += taken.eq(1)
        with m.If(leaves):
            m.d.sync += taken.eq(0)
        return valid, self.i.payload.as_value()

    def _odd(self, settings) -> Value:
        """Whether the product's results are rounded to odd, since only the conversion to integers follows."""
        if not self.params.packed_results:
            return Const(0)
        added = settings.add_bias | settings.residual if self.params.post_operations else Const(0)
        return settings.packed & ~added

    def _load(self, m: Module, platform, loader: ColumnLoader, finish, start: Value) -> None:
        """Place the loader of scales and offsets."""
        settings, further = finish.settings, {}
        if loader.passes:
            further = {"more": settings.add_bias | settings.residual, "o__ready": self.post.d.ready}
        place(
            m,
            platform,
            "column_loader",
            loader,
            start=start & settings.scale,
            across=finish.across,
            i=self.d,
            **further,
        )
        m.d.comb += [
            self.d.ready.eq(loader.i.ready),
            self.scaled.eq(settings.scale),
            self.across.eq(finish.across),
            self.vectors.eq(finish.vectors),
            *(getattr(self, name).eq(getattr(loader, name)) for name in ("write", "address", "data", "loading")),
        ]

    def _faults(self, m: Module, busy: Value) -> None:
        """Collect the faults of the addends, and whether addends may still arrive."""
        units: list[ColumnLoader | PostOperations] = [self.loader] if self.loader else []
        if self.params.post_operations:
            units.append(self.post)
        if units:
            m.d.comb += [
                self.d_short.eq(reduce(or_, (unit.too_short for unit in units))),
                self.d_long.eq(reduce(or_, (unit.too_long for unit in units))),
                busy.eq(reduce(or_, (unit.busy for unit in units))),
            ]

    def _add(self, m: Module, platform, finish, start: Value, ready: Value) -> tuple[Value, Value]:
        """Place the post operations; return whether a beat is valid, and the beat."""
        settings = finish.settings
        post = place(
            m,
            platform,
            "post_operations",
            self.post,
            start=start,
            settings=Cat(settings.add_bias, settings.relu, settings.residual),
            across=finish.across,
            vectors=finish.vectors,
            d=self.loader.o if self.loader else self.d,
            i=self.i,
            o__ready=ready,
        )
        m.d.comb += self.i.ready.eq(post.i.ready)
        if not self.loader:
            m.d.comb += self.d.ready.eq(post.d.ready)
        return post.o.valid, post.o.payload.as_value()

    def _pack(
        self, m: Module, platform, finish, start: Value, beat: Value, valid: Value
    ) -> PackedResults | IntegerResults:
        """Place the packed results."""
        settings, unit = finish.settings, self.packed
        if isinstance(unit, PackedResults):
            given = {"settings": Cat(settings.chunks, settings.rounding, settings.seed, settings.bias)}
        else:
            # With post operations, their ReLU at the end precedes the conversion.
            given = {"bias": settings.bias, "relu": Const(0) if self.params.post_operations else settings.relu}
        packed = place(
            m,
            platform,
            "packed_results",
            unit,
            start=start,
            **given,
            vectors=finish.vectors,
            length=finish.length,
            i__payload=beat,
            i__valid=valid,
            o__ready=self.o.ready,
        )
        m.d.comb += [getattr(self, name).eq(getattr(packed, name)) for name in self.events]
        return packed
