"""Matrix engine: FP32 operand streams in, an FP32 result stream out."""

from amaranth.hdl import Cat, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.buffer import OperandBuffer
from lowtide.engine.column_normalizer import ColumnNormalizer
from lowtide.engine.counters import Counters, counters_of
from lowtide.engine.dispatcher import Dispatcher
from lowtide.engine.loader import METERED, Loader
from lowtide.engine.operand_format import OperandFormat
from lowtide.engine.output_stage import OutputStage
from lowtide.engine.results import Results
from lowtide.engine.sequencer import Issuer, Sequencer
from lowtide.engine.sum_memory import SumMemoryParams
from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Structure
from lowtide.units.conversion.row_normalizer import RowNormalizerParams

__all__ = ["Engine"]


class Engine(Structure):
    """Matrix engine: multiplies matrices, ``C = A B``, A of M × K, B of K × N, in the format of its operands.

    Each operand arrives on its own stream. A loader brings it into the format: with `BfpOperands`, it converts FP32
    numbers, in order or transposed, into groups along K, with its own precision and rounding; with `IntegerOperands`,
    it unpacks integers. Products are exact; each result is rounded once, to FP32. Three steps overlap: loading the
    operands of the next product, multiplying, and sending the results of the last product.

    Results leave tile by tile, in the order of `TileOrder`. Each tile has ``rows`` rows of ``columns`` numbers;
    numbers beyond M and N are zero. An `OutputStage` applies what follows the product. A product with a column bias,
    with a residual or with packed results has its tiles in row order.

    Parameters
    ----------
    operands : OperandFormat
        Format of the operands.
    skew : str
        Where operands wait in the array: in ``registers`` or in ``memory``, see `SystolicArray`.
    block : tuple of two int
        Rows and columns of a block of elements that share registers, see `SystolicArray`.

    Members
    -------
    start : In(1)
        Pulses for one cycle to start ``product``. Refused while ``ready`` is low.
    product : In(dispatcher.product.shape())
        Settings of the product, a `ProductLayout`.
    ready : Out(1)
        High while a product is accepted.
    refused : Out(1)
        Pulses for one cycle when a product is refused; the engine then drops it.
    a, b : In(stream of fp32_beat(params.input_width))
        Operands; ``last`` is high with the last beat of an operand.
    c : Out(stream of fp32_beat(params.output_width))
        Results; ``last`` is high with the last beat of a product.
    d : In(stream of fp32_beat(params.output_width))
        Scales, offsets, column bias and residual, see `OutputStage`; only with ``params.takes_addends``.
    d_short : Out(1)
        Pulses for one cycle when ``d`` ends too early; only with ``params.takes_addends``.
    d_long : Out(1)
        Pulses for one cycle when ``d`` does not end with its last beat; only with ``params.takes_addends``.
    idle : Out(1)
        High while no product is in the engine.
    too_short : Out(2)
        Pulses for one cycle when the stream of an operand ends too early: bit 0 for A, bit 1 for B.
    too_long : Out(2)
        Pulses for one cycle when the stream of an operand does not end with its last beat: bit 0 for A, bit 1 for B.
    clear : In(1)
        Pulses for one cycle to clear all counters.
    cycles, beats, waits, stalls, products : Out(params.counter_bits)
        Counters of events, as `COUNTERS` defines them.
    a_exp_saturated, b_exp_saturated, a_nonfinite, b_nonfinite : Out(params.counter_bits)
        Counters of groups, as `CONVERSION_COUNTERS` defines them; only with `BfpOperands`.
    a_saturated, b_saturated : Out(params.counter_bits)
        Counters of saturated elements; only with `BfpOperands`.
    c_exp_saturated, c_saturated, c_nonfinite : Out(params.counter_bits)
        Counters of results, as `RESULT_COUNTERS` defines them; only with ``params.packed_results``.
    overflows : Out(params.counter_bits)
        Counter of infinite results.
    underflows : Out(params.counter_bits)
        Counter of zero results whose sums were not zero.
    a_threshold, b_threshold : In(10)
        Threshold of the relative improvement in units of 1/256; only for an operand with a meter.
    a_above_threshold, b_above_threshold : Out(1)
        High when the relative improvement of the operand loaded last is above the threshold; only with a meter.
    a_low_sum, a_high_sum : Out(len(loaders[0].low_sum))
        Sums of the second and of the first chunks of the operand A loaded last; only with a meter.
    b_low_sum, b_high_sum : Out(len(loaders[1].low_sum))
        Sums of the second and of the first chunks of the operand B loaded last; only with a meter.
    """

    def __init__(self, operands: OperandFormat, skew: str = "registers", block: tuple[int, int] = (1, 1)):
        self.operands, self.params = operands, operands.params
        self.rows, self.columns = rows, columns = operands.rows, operands.columns
        params, accumulator = self.params, operands.format.accumulator
        self.array = operands.array(skew, block)
        self.dispatcher = Dispatcher(operands)
        self.loaders = operands.loaders()
        self.sum_tiles = params.sum_tiles(rows, columns)
        sums = None
        if any(self.sum_tiles):
            down, across = self.sum_tiles
            sums = SumMemoryParams(
                rows=rows,
                columns=columns,
                tiles=down * across,
                width=accumulator,
                sum_width=params.sum_width(operands.format),
            )
        results = RowNormalizerParams(
            columns=columns,
            width=sums.sum_width if sums else accumulator,
            normalizers=params.output_width,
            counter_bits=params.counter_bits,
        )
        # Tiles in the array at full rate, tiles whose results wait, and a tile that is not counted yet.
        tiles = self.array.latency // self.array.spacing + 5
        columns_unit = None
        if operands.bfp is None and (params.column_scale or params.packed_results):
            scaled = params.bias_tiles(columns) if params.column_scale else 0
            columns_unit = ColumnNormalizer(results, rows, scaled, params.buffer_depth, rows * params.buffer_depth)
        self.results = Results(results, tiles, sums, self.sum_tiles[1] or 1, columns_unit)
        sizes, packed = operands.engine_name
        packed += f"_b{params.slots}" if params.slots else ""
        if sums:
            packed += "_s{}x{}_{}".format(*self.sum_tiles, params.sum_max_k)
        packed += "_o" * params.post_operations + "_q" * params.packed_results + "_k" * params.column_scale
        self.output = None
        if params.finishes:
            self.output = OutputStage(rows, columns, operands.bfp, params, bool(sums), operands.width)
        self.module_name = (
            f"engine_{self.array.module_name}_{sizes}_n{params.output_width}_c{params.counter_bits}{packed}"
        )
        numbers = fp32_beat(params.input_width)
        super().__init__(
            {
                "start": In(1),
                "product": In(self.dispatcher.product.shape()),
                "ready": Out(1),
                "refused": Out(1),
                "a": In(stream.Signature(numbers)),
                "b": In(stream.Signature(numbers)),
                "c": Out(stream.Signature(fp32_beat(params.output_width))),
                **({"d": In(stream.Signature(fp32_beat(params.output_width)))} if params.takes_addends else {}),
                "idle": Out(1),
                "too_short": Out(2),
                "too_long": Out(2),
                **({"d_short": Out(1), "d_long": Out(1)} if params.takes_addends else {}),
                "clear": In(1),
                **{name: Out(params.counter_bits) for name in self.counters},
                "overflows": Out(params.counter_bits),
                "underflows": Out(params.counter_bits),
                **{
                    f"{side}_{name}": loader.signature.members[name]
                    for side, loader in self.meters.items()
                    for name in METERED
                },
            }
        )

    @property
    def meters(self) -> dict[str, Loader]:
        """Loaders with an improvement meter, by operand."""
        loaders = zip("ab", self.loaders, strict=True)
        return {side: loader for side, loader in loaders if isinstance(loader, Loader) and loader.metered}

    @property
    def counters(self) -> dict[str, str]:
        """Counters of events, and what each counts, without overflows and underflows."""
        return counters_of(self.operands.bfp is not None, self.params.packed_results)

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams."""
        return ("a", "b", "c", "d") if self.params.takes_addends else ("a", "b", "c")

    @property
    def constants(self) -> dict[str, int]:
        """Parameters of the hardware that a host needs, by the names of the configuration keys."""
        return {"rows": self.rows, "columns": self.columns, **self.operands.constants}

    def _columns(self) -> dict[str, Value]:
        """Inputs of a `ColumnNormalizer`, which takes one product at a time."""
        output, columns = self.output, self.results.columns
        if not output or not columns:
            return {}
        loading = {"loading": output.loading} if columns.tiles else {}
        return {"start": output.begins, **loading, **{name: getattr(output, name) for name in columns.settings}}

    def wire(self, place):
        words = self.params.buffer_depth
        array, results, dispatcher, output = self.array, self.results, self.dispatcher, self.output
        loader_a, loader_b = self.loaders
        chunks = (layout.most_chunks for layout in self.operands.layouts)
        sequencer = Sequencer(
            words, *chunks, tiles=self.sum_tiles, orders=self.params.finishes, banks=self.params.banks
        )
        issuer = Issuer()
        place(
            "dispatcher",
            dispatcher,
            start=self.start,
            product=self.product,
            busy=Cat(loader_a.busy, loader_b.busy),
            bias_a=loader_a.bias,
            bias_b=loader_b.bias,
            run_ready=sequencer.i.ready,
            over=(output or results).over,
        )
        for n, (name, loader) in enumerate(zip("ab", self.loaders, strict=True)):
            place(
                f"loader_{name}",
                loader,
                start=dispatcher.load[n],
                **({"find": dispatcher.find[n]} if self.operands.bfp else {}),
                settings=getattr(dispatcher, name),
                size=getattr(dispatcher, f"size_{name}"),
                **(
                    {port: getattr(dispatcher, f"{port}_{name}") for port in ("groups", "row")}
                    if self.operands.packs
                    else {}
                ),
                i=getattr(self, name),
                **({"threshold": getattr(self, f"{name}_threshold")} if loader.metered else {}),
            )
        run = dispatcher.run
        place(
            "sequencer",
            sequencer,
            i__payload=Cat(run.a, run.b),
            i__valid=dispatcher.run_valid,
            **({"row_order": run.row_order} if output else {}),
            loading_a=dispatcher.write_a,
            loading_b=dispatcher.write_b,
            loaded_a=loader_a.panels,
            loaded_b=loader_b.panels,
            ready=issuer.i_ready,
        )
        place(
            "issuer",
            issuer,
            i_valid=sequencer.valid,
            i_last=sequencer.last,
            room=results.room,
            o_ready=array.a.ready,
        )
        beats = {}
        for n, (name, loader) in enumerate(zip("ab", self.loaders, strict=True)):
            vectors = (self.rows, self.columns)[n]
            beats[name] = place(
                f"buffer_{name}",
                OperandBuffer(vectors, loader.word.size, words, self.params.write_width, self.params.banks),
                write=loader.write,
                write_slices=loader.slices,
                write_bank=getattr(dispatcher, f"write_{name}"),
                write_address=loader.address,
                i=loader.data,
                enable=issuer.move,
                read_bank=getattr(sequencer, f"bank_{name}"),
                read_address=getattr(sequencer, f"address_{name}"),
            ).o
        place(
            "array",
            array,
            a__payload=Cat(beats["a"], issuer.o_last),
            a__valid=issuer.o_valid,
            b__payload=Cat(beats["b"], issuer.o_last),
            b__valid=issuer.o_valid,
            # The settings of a beat, written when its words are read: they arrive at the array with the beat.
            **({"settings": run.terms, "settings_write": issuer.move} if self.operands.reveals else {}),
            c=results.i,
        )
        place(
            "results",
            results,
            tile=issuer.tile,
            scale=run.scale,
            ends=sequencer.ends,
            **(
                {"add": run.add, "keep": run.keep, "tile_a": sequencer.tile_a, "tile_b": sequencer.tile_b}
                if results.sums
                else {}
            ),
            i=array.c,
            **self._columns(),
            o=output.i if output else self.c,
            clear=self.clear,
        )
        followed, converted = {}, {}
        if output:
            place(
                "output_stage",
                output,
                product=dispatcher.finish_valid,
                **({"kept": results.kept} if results.sums else {}),
                finish=dispatcher.finish,
                **({"d": self.d} if self.params.takes_addends else {}),
                i=results.o,
                o=self.c,
            )
            followed = {f"c_{name}": getattr(output, name) for name in output.events}
        if self.operands.bfp:
            events = ("exp_saturated", "saturated", "nonfinite")
            converted = {
                f"{name}_{event}": getattr(loader, event)
                for event in events
                for name, loader in zip("ab", self.loaders, strict=True)
            }
        lanes = self.operands.bfp.lanes if self.operands.bfp else 0
        counters = place(
            "counters",
            Counters(self.params.counter_bits, lanes, results.most_over, self.params.packed_results),
            clear=self.clear,
            cycles=dispatcher.working,
            beats=issuer.taken,
            waits=sequencer.waits,
            stalls=issuer.stalled,
            products=(output or results).over,
            **converted,
            **followed,
        )
        return {
            "ready": dispatcher.ready,
            "refused": dispatcher.refused,
            "a": loader_a.i,
            "b": loader_b.i,
            "c": (output or results).o,
            **({name: getattr(output, name) for name in ("d", "d_short", "d_long")} if "d" in self.streams else {}),
            "idle": dispatcher.idle,
            "too_short": Cat(loader_a.too_short, loader_b.too_short),
            "too_long": Cat(loader_a.too_long, loader_b.too_long),
            **{name: getattr(counters, f"{name}_count") for name in self.counters},
            "overflows": results.overflows,
            "underflows": results.underflows,
            **{
                f"{side}_{name}": getattr(loader, name)
                for side, loader in self.meters.items()
                for name in METERED
                if name != "threshold"
            },
        }
