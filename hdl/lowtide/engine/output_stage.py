"""Output stage: what follows a product, from its FP32 results to the stream of results."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

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
    """Output stage: applies post operations to the results of each product, and packs them into groups.

    The settings of each product wait in a queue. The results of a product enter after the results of the product before
    have left.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    bfp : Bfp or None
        Format of the groups; only with ``params.packed_results``.
    params : EngineParams
        Numbers per beat, buffer depth, random words, and whether there are post operations and packed results.
    sums : bool
        Whether the engine has sums on chip.

    Members
    -------
    product : In(1)
        Pulses for one cycle to add ``finish`` to the queue, which has room for `PRODUCTS` products.
    finish : In(self.finish_layout)
        Settings of a product and the size of its results.
    kept : In(1)
        Pulses for one cycle when a product without results is completed; only with ``sums``.
    d : In(stream of fp32_beat(params.output_width))
        Addends, see `PostOperations`; only with post operations.
    i : In(stream of fp32_beat(params.output_width))
        Results of the array, tile by tile; ``last`` is high with the last beat of a product.
    o : Out(stream of fp32_beat(params.output_width))
        Results; ``last`` is high with the last beat of a product. Zero while not valid.
    over : Out(range(3 if sums else 2))
        Products that are completed in this cycle: all results are accepted and the addends have ended, or ``kept``.
    d_short : Out(1)
        Pulses for one cycle when the addends end too early; only with post operations.
    d_long : Out(1)
        Pulses for one cycle when the addends do not end with their last beat; only with post operations.
    exp_saturated : Out(1)
        Pulses for one cycle with a group whose exponent is above the window; only with packed results.
    nonfinite : Out(1)
        Pulses for one cycle with a group that has a NaN or an infinity; only with packed results.
    saturated : Out(range(bfp.lanes + 1))
        Number of elements saturated at the largest magnitude in this cycle; only with packed results.
    """

    def __init__(self, rows: int, columns: int, bfp: Bfp | None, params: EngineParams, sums: bool):
        vectors, length = rows * params.buffer_depth, columns * params.buffer_depth
        tiles = params.bias_tiles(columns)
        self.finish_layout = FinishLayout(ResultLayout(bfp, params), vectors, length, params.buffer_depth)
        self.post = PostOperations(rows, columns, params.output_width, tiles, params.buffer_depth, vectors)
        self.packed = PackedResults(rows, columns, bfp, params) if bfp and params.packed_results else None
        self.params, self.sums = params, sums
        ports = {"kept": In(1)} if sums else {}
        names = []
        if params.post_operations:
            names.append(self.post.module_name)
            ports |= {"d": In(stream.Signature(fp32_beat(params.output_width))), "d_short": Out(1), "d_long": Out(1)}
        if self.packed:
            names.append(self.packed.module_name)
            ports |= {name: self.packed.signature.members[name] for name in ("exp_saturated", "nonfinite", "saturated")}
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

    def elaborate(self, platform):
        m = Module()
        queue = Fifo(self.finish_layout.size, PRODUCTS)
        finish = Signal(self.finish_layout)
        begun = Signal()
        start = Signal()
        ended = Signal()  # all results are accepted
        leaves = Signal()
        post_busy = Signal()
        place(m, platform, "products", queue, i_valid=self.product, i_data=self.finish.as_value(), o_ready=leaves)
        m.d.comb += [
            finish.eq(queue.o_data),
            start.eq(queue.o_valid & ~begun),
            leaves.eq(begun & ended & ~post_busy),
            self.over.eq(leaves + self.kept if self.sums else leaves),
        ]
        m.d.sync += begun.eq(queue.o_valid & ~leaves)
        with m.If(self.o.valid & self.o.ready & self.o.payload.last):
            m.d.sync += ended.eq(1)
        with m.If(leaves):
            m.d.sync += ended.eq(0)

        # FP32 results after the post operations, and whether they are accepted.
        ready = Signal()
        if self.params.post_operations:
            valid, beat = self._add(m, platform, finish, start, ready, post_busy)
        else:
            valid, beat = self._pass(m, begun, leaves, ready)
        packed = Const(0)
        words, words_valid, room = Const(0, len(beat)), Const(0), Const(0)
        if self.packed:
            packed = finish.settings.packed
            results = self._pack(m, platform, self.packed, finish, start & packed, beat, valid & packed)
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

    def _add(self, m: Module, platform, finish, start: Value, ready: Value, busy: Value) -> tuple[Value, Value]:
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
            d=self.d,
            i=self.i,
            o__ready=ready,
        )
        m.d.comb += [
            self.i.ready.eq(post.i.ready),
            self.d.ready.eq(post.d.ready),
            self.d_short.eq(post.too_short),
            self.d_long.eq(post.too_long),
            busy.eq(post.busy),
        ]
        return post.o.valid, post.o.payload.as_value()

    def _pack(
        self, m: Module, platform, unit: PackedResults, finish, start: Value, beat: Value, valid: Value
    ) -> PackedResults:
        """Place the packed results."""
        settings = finish.settings
        packed = place(
            m,
            platform,
            "packed_results",
            unit,
            start=start,
            settings=Cat(settings.chunks, settings.rounding, settings.seed, settings.bias),
            vectors=finish.vectors,
            length=finish.length,
            i__payload=beat,
            i__valid=valid,
            o__ready=self.o.ready,
        )
        m.d.comb += [
            getattr(self, name).eq(getattr(packed, name)) for name in ("exp_saturated", "nonfinite", "saturated")
        ]
        return packed
