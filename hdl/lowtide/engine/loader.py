"""Loader: an operand in FP32 becomes chunks in the buffers of its lines."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.bias_finder import BiasFinder
from lowtide.engine.operand import OperandLayout
from lowtide.engine.operand_framer import OperandFramer
from lowtide.engine.operand_writer import OperandWriter
from lowtide.engine.params import EngineParams
from lowtide.engine.rounding_words import RoundingWords
from lowtide.engine.transposer import Transposer
from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit, place
from lowtide.units.conversion.chunker import Chunker
from lowtide.units.conversion.converter import BfpConverter
from lowtide.units.conversion.improvement_meter import THRESHOLD
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.conversion.serial_converter import SerialBfpConverter
from lowtide.units.stream.skid_buffer import SkidBuffer
from lowtide.units.stream.upsizer import StreamUpsizer

__all__ = ["METERED", "Loader"]

METERED = ("threshold", "above_threshold", "low_sum", "high_sum")
"""Ports of a converter's meter that are the loader's too."""


class Loader(Unit):
    """Takes an operand from its stream, converts it, and writes its chunks; or only looks for its bias.

    Groups lie along the reduction, whether the stream comes along it or across. A line is a row of A or a column of B;
    a panel is as many of them as the array has.

    Parameters
    ----------
    lines : int
        Lines of a panel.
    bfp : Bfp
        Format of the groups.
    chunk : int
        Bits of a chunk.
    params : EngineParams
        Numbers of a beat, words of a buffer, random words.

    Members
    -------
    start, find : In(1)
        Load an operand; with ``find``, only find its bias. Not while it is ``busy``.
    settings : In(OperandLayout)
        The operand; looked at with ``start``.
    groups, size : In(range(words + 1))
        Groups of a line, words of a panel; looked at with ``start``.
    i : In(stream of {number, last})
        The operand.
    write, address, data : Out
        As of `OperandWriter`.
    panels : Out(range(words + 1))
        Panels that are complete, as of `OperandWriter`.
    busy : Out(1)
        It is not ready for another operand.
    bias : Out(signed(9))
        Of the operand that is loaded, or was last; from the cycle after ``start``.
    too_short, too_long : Out(1)
        In one cycle: the operand's stream ended too soon, or too late.
    threshold, above_threshold, low_sum, high_sum : In(10), Out(1), Out(ratio), Out(ratio)
        As of `ImprovementMeter`, of the operand that was loaded last; where magnitudes have two chunks or more.
    groups_held, bad_groups : Out(1)
        In one cycle: a group was above the window; a group had a NaN or an infinity.
    held : Out(range(lanes + 1))
        Elements that were held at the largest magnitude, in this cycle.
    """

    def __init__(self, lines: int, bfp: Bfp, chunk: int, params: EngineParams):
        self.lines, self.bfp, self.params = lines, bfp, params
        self.converter = ConverterParams(
            lanes=bfp.lanes,
            mantissa=bfp.mantissa,
            chunk=chunk,
            exponent=bfp.exponent,
            rounding="carry",
            random=params.random_bits + 1,
        )
        self.layout = OperandLayout(bfp, chunk, lines * params.buffer_depth, params.lfsr_bits)
        self.elements = lines * params.buffer_depth * bfp.lanes
        self.metered = bfp.mantissa >= 2 * chunk
        self.serial = params.input_width == 1 and not self.metered
        self._converter = (
            SerialBfpConverter(self.converter)
            if self.serial
            else BfpConverter(self.converter, self.elements if self.metered else None)
        )
        self._intake = OperandFramer(params.input_width, max(lines * params.buffer_depth, bfp.max_k))
        self._turner = Transposer(
            bfp.lanes, params.input_width, params.transpose_depth, bfp.max_k, lines * params.buffer_depth
        )
        self._words = RoundingWords(params.source(bfp.lanes))
        self._writer = OperandWriter(lines, self.converter.layout_chunk, params.buffer_depth, self.converter.max_chunks)
        self.module_name = (
            f"loader_{lines}x{params.buffer_depth}_n{params.input_width}_t{params.transpose_depth}_k{bfp.max_k}_{self.converter.name}"
            f"_b{params.lfsr_bits}"
        )
        words = range(params.buffer_depth + 1)
        meter = self._converter.signature.members if self.metered else {}
        super().__init__(
            {name: meter[name] for name in METERED if name in meter}
            | {
                "start": In(1),
                "find": In(1),
                "settings": In(self.layout),
                "groups": In(words),
                "size": In(words),
                "i": In(stream.Signature(fp32_beat(params.input_width))),
                "write": Out(lines),
                "address": Out(range(params.buffer_depth)),
                "data": Out(self.converter.layout_chunk),
                "panels": Out(words),
                "busy": Out(1),
                "bias": Out(signed(9)),
                "too_short": Out(1),
                "too_long": Out(1),
                "groups_held": Out(1),
                "bad_groups": Out(1),
                "held": Out(range(bfp.lanes + 1)),
            }
        )

    @property
    def converter_latency(self) -> int:
        """Cycles from a group, or its last number, to that group converted."""
        return self._converter.latency

    @property
    def compare_latency(self) -> int:
        """Cycles from the last word written until the next operand can be loaded: its ratio is compared."""
        return self._converter.meter_latency + THRESHOLD + 3 if self.metered else 1

    def elaborate(self, platform):
        m = Module()
        settings = Signal(self.layout)
        finding = Signal()
        groups = Signal.like(self.groups)
        size = Signal.like(self.size)
        started = Signal()  # a reset must stop it on its way
        m.d.sync += started.eq(self.start)
        with m.If(self.start):
            m.d.sync += [settings.eq(self.settings), groups.eq(self.groups), size.eq(self.size), finding.eq(self.find)]

        intake, turner, writer = self._intake, self._turner, self._writer
        grouper = StreamUpsizer(self.bfp.lanes, self.params.input_width)
        beats = SkidBuffer(fp32_beat(self.params.input_width))
        chunker, converter, slot = Chunker(self.converter), self._converter, SkidBuffer(self.converter.layout_o)
        comparing, ports = self._compare(m, started & ~finding) if self.metered else (Const(0), {})
        place(
            m,
            platform,
            "intake",
            intake,
            start=started,
            runs=Mux(settings.transposed, settings.length, settings.lines),
            length=Mux(settings.transposed, settings.lines, settings.length),
            i__payload=self.i.payload,
            i__valid=self.i.valid,
            o__ready=turner.i.ready | finding,
        )
        place(
            m,
            platform,
            "turner",
            turner,
            start=started,
            transposed=settings.transposed,
            runs=settings.length,
            length=settings.lines,
            i__payload=intake.o.payload,
            i__valid=intake.o.valid & ~finding,
            o__ready=converter.i.ready if self.serial else beats.i.ready,
        )
        if not self.serial:
            # Whether the converter moves would go on to the turner's memories: too far for a cycle.
            place(
                m,
                platform,
                "beats",
                beats,
                i__payload=turner.o.payload,
                i__valid=turner.o.valid,
                o__ready=grouper.i.ready,
            )
            place(
                m,
                platform,
                "grouper",
                grouper,
                i__payload=beats.o.payload,
                i__valid=beats.o.valid,
                o__ready=converter.i.ready,
            )
        settling, found = self._find(m, platform, finding, started & finding)
        with m.If(self.start & ~self.find):
            m.d.sync += self.bias.eq(Mux(self.settings.bias_auto, found, self.settings.bias))
        random = self._words.words
        step = converter.step
        if self.serial:  # a word of the group's after the other
            at = Signal(range(self.bfp.lanes))
            random = random.word_select(at, self._words.width)
            step = converter.step & at.all()
            m.d.sync += at.eq(at + converter.step)
        place(
            m,
            platform,
            "words",
            self._words,
            rounding=settings.rounding,
            load=started,
            seed=settings.seed,
            step=step,
            row=converter.row,
        )
        place(
            m,
            platform,
            "converter",
            converter,
            bias=self.bias,
            chunks=settings.chunks,
            random=random,
            i__payload=turner.o.payload if self.serial else grouper.o.payload,
            i__valid=turner.o.valid if self.serial else grouper.o.valid,
            o__ready=slot.i.ready,
            **ports,
        )
        place(
            m,
            platform,
            "slot",
            slot,
            i__payload=converter.o.payload,
            i__valid=converter.o.valid,
            o__ready=chunker.i.ready,
        )
        place(
            m,
            platform,
            "chunker",
            chunker,
            chunks=settings.chunks,
            i__payload=slot.o.payload,
            i__valid=slot.o.valid,
            o__ready=writer.i.ready,
        )
        place(
            m,
            platform,
            "writer",
            writer,
            start=started & ~finding,
            transposed=settings.transposed,
            count=settings.lines,
            groups=groups,
            chunks=settings.chunks,
            size=size,
            i__payload=chunker.o.payload,
            i__valid=chunker.o.valid,
        )
        m.d.comb += [getattr(self, name).eq(getattr(writer, name)) for name in ("write", "address", "data", "panels")]
        taken = converter.o.valid & slot.i.ready
        m.d.comb += [
            self.i.ready.eq(intake.i.ready),
            self.groups_held.eq(converter.saturated_group & taken),
            self.bad_groups.eq(converter.nonfinite_group & taken),
            self.held.eq(Mux(taken, converter.saturated_elements, 0)),
            self.too_short.eq(intake.too_short),
            self.too_long.eq(intake.too_long),
            self.busy.eq(started | intake.busy | writer.busy | settling | comparing),
        ]
        return m

    def _compare(self, m: Module, starts: Value) -> tuple[Value, dict[str, Value]]:
        """Let the converter's meter compare once an operand is written; whether it does, and what it is told."""
        converter, loading = self._converter, Signal()
        left = Signal(range(converter.meter_latency + 1))
        with m.If(self._writer.busy):
            m.d.sync += left.eq(converter.meter_latency)
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)
        m.d.sync += loading.eq(left.any() | self._writer.busy)
        m.d.comb += [
            getattr(self, name).eq(getattr(converter, name)) for name in ("above_threshold", "low_sum", "high_sum")
        ]
        compare = loading & ~left.any() & ~self._writer.busy
        ports = {"start": starts, "compare": compare, "threshold": self.threshold}
        return loading | left.any() | converter.busy, ports

    def _find(self, m: Module, platform, finding: Value, starts: Value) -> tuple[Value, Value]:
        """Look at the numbers for their bias; say when it is not yet that of all of them, and what it is."""
        intake, finder = self._intake, BiasFinder(self.params.input_width, self.bfp.exponent)
        taken = intake.o.valid & finding
        place(m, platform, "finder", finder, start=starts, take=taken, i=intake.o.payload.number)
        left = Signal(range(finder.latency + 1))
        with m.If(finding & intake.busy):
            m.d.sync += left.eq(finder.latency)
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)
        return left.any(), finder.bias
