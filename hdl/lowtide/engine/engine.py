"""The matrix engine: streams of FP32 operands in, a stream of FP32 results out."""

from functools import partial

import attrs
from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.systolic import SystolicArray
from lowtide.engine.buffer import OperandBuffer
from lowtide.engine.counters import COUNTERS, Counters
from lowtide.engine.dispatcher import Dispatcher
from lowtide.engine.issuer import Issuer
from lowtide.engine.loader import METERED, Loader
from lowtide.engine.params import EngineParams
from lowtide.engine.results import Results
from lowtide.engine.sequencer import Sequencer
from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Structure
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.conversion.row_normalizer import RowNormalizerParams

__all__ = ["Engine"]


class Engine(Structure):
    """Multiplies matrices in FP32 by block floating point: ``C = A B``, A of M × K, B of K × N.

    Each operand comes on a stream of its own, line by line or across, and is converted as it comes, at a precision and
    with a rounding of its own, into groups along K. The products are exact; each result is rounded once, to FP32.
    Loading the next product's operands, multiplying, and giving the results of the last one overlap.

    Results come tile by tile, in the order of `TileOrder`; each has ``rows`` rows of ``columns`` numbers, those beyond
    M and N among them, which are zero.

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    bfp : Bfp
        Format of the groups.
    params : EngineParams
        Buffers, and numbers of a beat.

    Members
    -------
    start, product, ready, refused
        As of `Dispatcher`.
    a, b : In(stream of {number, last})
        Operands, as of `OperandFramer`.
    c : Out(stream of {number, last})
        Results, ``last`` with the last beat of a product.
    idle : Out(1)
        No product is in the engine.
    too_short, too_long : Out(2)
        In one cycle, bit 0 of A, bit 1 of B: the operand's stream ended too soon, or too late.
    clear : In(1)
        Start all counters again.
    ``name`` : Out(32)
        Each of `COUNTERS`.
    overflows, underflows : Out(32)
        Results that were infinite, or zero though their sums were not.
    ``a_threshold``, ``a_above_threshold``, ``a_low_sum``, ``a_high_sum``, and of ``b``
        As of `Loader`, where it has a meter.

    Raises
    ------
    IllegalValue
        As of `EngineParams.check`.
    """

    def __init__(self, rows: int, columns: int, bfp: Bfp, params: EngineParams):
        params.check(bfp, columns)
        self.rows, self.columns, self.bfp, self.params = rows, columns, bfp, params
        self.array = SystolicArray(rows, columns, partial(Fmac, bfp))
        self.dispatcher = Dispatcher(rows, columns, bfp, params)
        self.loaders = [
            Loader(lines, bfp, chunk, params) for lines, chunk in ((rows, bfp.chunk_a), (columns, bfp.chunk_b))
        ]
        results = RowNormalizerParams(
            columns=columns, width=bfp.accumulator, normalizers=params.output_width, counter=params.counter_bits
        )
        # Tiles that are in the array at full rate, and those whose results wait.
        self.results = Results(results, self.array.latency // self.array.spacing + 4)
        loaders = "_".join(
            str(n)
            for n in (
                params.buffer_depth,
                params.input_width,
                params.transpose_depth,
                params.random_bits,
                params.lfsr_bits,
            )
        )
        self.module_name = f"engine_{self.array.module_name}_{loaders}_n{params.output_width}_c{params.counter_bits}"
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
                "idle": Out(1),
                "too_short": Out(2),
                "too_long": Out(2),
                "clear": In(1),
                **{name: Out(params.counter_bits) for name in COUNTERS},
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
        """Sides whose loader has a ratio meter."""
        return {side: loader for side, loader in zip("ab", self.loaders, strict=True) if loader.metered}

    @property
    def constants(self) -> dict[str, int]:
        """What it was generated for, by the names of the configuration's keys."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            **attrs.asdict(self.bfp),
            **attrs.asdict(self.params),
        }

    def wire(self, place):
        words = self.params.buffer_depth
        array, results, dispatcher = self.array, self.results, self.dispatcher
        loader_a, loader_b = self.loaders
        sequencer = Sequencer(words, *(loader.converter.max_chunks for loader in self.loaders))
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
            over=results.over,
        )
        for n, (name, loader) in enumerate(zip("ab", self.loaders, strict=True)):
            place(
                f"loader_{name}",
                loader,
                start=dispatcher.load[n],
                find=dispatcher.find[n],
                settings=getattr(dispatcher, name),
                groups=getattr(dispatcher, f"groups_{name}"),
                size=getattr(dispatcher, f"size_{name}"),
                i__payload=getattr(self, name).payload,
                i__valid=getattr(self, name).valid,
                **({"threshold": getattr(self, f"{name}_threshold")} if loader.metered else {}),
            )
        run = dispatcher.run
        place(
            "sequencer",
            sequencer,
            i__payload=Cat(run.a, run.b),
            i__valid=dispatcher.run_valid,
            loading_a=dispatcher.write[0],
            loading_b=dispatcher.write[1],
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
            lines = (self.rows, self.columns)[n]
            beats[name] = place(
                f"buffer_{name}",
                OperandBuffer(lines, len(loader.data.as_value()), words),
                write=loader.write,
                write_bank=dispatcher.write[n],
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
            c__ready=results.i.ready,
        )
        place(
            "results",
            results,
            tile=issuer.tile,
            scale=run.scale,
            ends=sequencer.ends,
            i__payload=array.c.payload,
            i__valid=array.c.valid,
            o__ready=self.c.ready,
            clear=self.clear,
        )
        counters = place(
            "counters",
            Counters(self.params.counter_bits, self.bfp.lanes),
            clear=self.clear,
            cycles=dispatcher.working,
            beats=issuer.taken,
            waits=sequencer.waits,
            stalls=issuer.held,
            products=results.over,
            a_exp_saturated=loader_a.groups_held,
            b_exp_saturated=loader_b.groups_held,
            a_saturated=loader_a.held,
            b_saturated=loader_b.held,
            a_nonfinite=loader_a.bad_groups,
            b_nonfinite=loader_b.bad_groups,
        )
        return {
            "ready": dispatcher.ready,
            "refused": dispatcher.refused,
            "a__ready": loader_a.i.ready,
            "b__ready": loader_b.i.ready,
            "c__valid": results.o.valid,
            "c__payload": results.o.payload,
            "idle": dispatcher.idle,
            "too_short": Cat(loader_a.too_short, loader_b.too_short),
            "too_long": Cat(loader_a.too_long, loader_b.too_long),
            **{name: getattr(counters, f"{name}_count") for name in COUNTERS},
            "overflows": results.overflows,
            "underflows": results.underflows,
            **{
                f"{side}_{name}": getattr(loader, name)
                for side, loader in self.meters.items()
                for name in METERED
                if name != "threshold"
            },
        }
