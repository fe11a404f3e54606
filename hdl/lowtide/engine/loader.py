"""Loader: takes an operand from its stream and writes its chunks into the operand buffer."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.bias_finder import BiasFinder
from lowtide.engine.group_unpacker import GroupUnpacker
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
from lowtide.units.stream.buffers import RegisterSlice, SkidBuffer
from lowtide.units.stream.width_converters import StreamUpsizer

__all__ = ["METERED", "Loader"]

METERED = ("threshold", "above_threshold", "low_sum", "high_sum")
"""Ports of a converter's meter that are the loader's too."""


class Loader(Unit):
    """Loader: converts an operand from its stream and writes its chunks; or only finds its bias.

    Packed groups pass the converter. A packed operand has no counts of events and no relative improvement.

    Groups lie along the reduction, whether the operand arrives in order or transposed. A vector is a row of A or a
    column of B. A panel has as many vectors as the array has rows or columns.

    Parameters
    ----------
    vectors : int
        Vectors per panel.
    bfp : Bfp
        Format of the groups.
    chunk : int
        Width of a chunk in bits.
    params : EngineParams
        Stream width, buffer depth, random words.

    Members
    -------
    start : In(1)
        Pulses for one cycle to load an operand. Only while ``busy`` is low.
    find : In(1)
        High with ``start`` to compute the operand's exponent bias without loading the operand.
    settings : In(layout)
        Settings of the operand, an `OperandLayout`; sampled with ``start``.
    groups : In(range(params.buffer_depth + 1))
        Groups per vector; sampled with ``start``. Only with ``params.packed_operands``.
    size : In(range(params.buffer_depth + 1))
        Words per panel; sampled with ``start``.
    row : In(range(layout.most_row + 1))
        Words per vector of a packed operand; sampled with ``start``. Only with ``params.packed_operands``.
    i : In(stream of fp32_beat(params.input_width))
        Operand; ``last`` is high with its last beat.
    write : Out(vectors)
        Write enable of the buffer, one bit per vector.
    slices : Out(params.write_width)
        Write enable of the buffer, one bit per slice.
    address : Out(ArrayLayout(range(params.buffer_depth // params.write_width), params.write_width))
        Address to write in each slice.
    data : Out(ArrayLayout(converter.layout_chunk, params.write_width))
        Chunk to write into each slice.
    panels : Out(range(params.buffer_depth + 1))
        Number of complete panels; all ones after the last panel. Zero from the cycle after ``start``.
    busy : Out(1)
        High while the loader cannot start another operand.
    bias : Out(signed(9))
        Exponent bias that the loader uses. Valid one cycle after ``start``; keeps its value until the next load.
    too_short : Out(1)
        Pulses for one cycle when the stream of the operand ends too early.
    too_long : Out(1)
        Pulses for one cycle when the stream of the operand does not end with its last beat.
    threshold : In(THRESHOLD)
        Threshold of the relative improvement in units of 1/256; only if a magnitude may have two chunks.
    above_threshold : Out(1)
        High when the relative improvement of the operand loaded last is above the threshold; only with a meter.
    low_sum : Out(meter["low_sum"].shape)
        Sum of the second chunks of the operand loaded last; only with a meter.
    high_sum : Out(meter["high_sum"].shape)
        Sum of the first chunks of the operand loaded last; only with a meter.
    exp_saturated : Out(1)
        Pulses for one cycle with a group whose exponent is above the window.
    nonfinite : Out(1)
        Pulses for one cycle with a group that has a NaN or an infinity.
    saturated : Out(range(bfp.lanes + 1))
        Number of elements saturated at the largest magnitude in this cycle.
    """

    def __init__(self, vectors: int, bfp: Bfp, chunk: int, params: EngineParams):
        self.vectors, self.bfp, self.params = vectors, bfp, params
        self.metered = bfp.mantissa >= 2 * chunk
        # A metered converter needs the bits of a second chunk below the first.
        fraction = max(params.random_bits + 1, chunk if self.metered else 1)
        self.converter = ConverterParams(
            lanes=bfp.lanes,
            mantissa=bfp.mantissa,
            chunk=chunk,
            exponent=bfp.exponent,
            rounding="carry",
            random=fraction,
        )
        self.layout = OperandLayout(bfp, chunk, vectors * params.buffer_depth, params)
        self.word = self.converter.layout_chunk
        self.elements = vectors * params.buffer_depth * bfp.lanes
        self.serial = params.input_width == 1 and not self.metered
        self._converter = (
            SerialBfpConverter(self.converter)
            if self.serial
            else BfpConverter(self.converter, self.elements if self.metered else None)
        )
        most_row = self.layout.most_row
        longest = max(vectors * params.buffer_depth, bfp.max_k, most_row if params.packed_operands else 0)
        self._framer = OperandFramer(params.input_width, longest)
        self.unpacker = (
            GroupUnpacker(self.converter, params.input_width, params.buffer_depth, params.write_width)
            if params.packed_operands
            else None
        )
        depth = params.transpose_depth
        self._transposer = (
            Transposer(bfp.lanes, params.input_width, depth, bfp.max_k, vectors * params.buffer_depth)
            if depth
            else None
        )
        self._words = RoundingWords(params.source(bfp.lanes), fraction)
        self._writer = OperandWriter(
            vectors, self.converter.layout_chunk, params.buffer_depth, self.converter.max_chunks, params.write_width
        )
        self.module_name = (
            f"loader_{vectors}x{params.buffer_depth}_n{params.input_width}_t{params.transpose_depth}_k{bfp.max_k}_{self.converter.name}"
            f"_b{params.random_name}_w{params.write_width}{'_p' if params.packed_operands else ''}"
        )
        words = range(params.buffer_depth + 1)
        meter = self._converter.signature.members if self.metered else {}
        super().__init__(
            {name: meter[name] for name in METERED if name in meter}
            | {
                "start": In(1),
                "find": In(1),
                "settings": In(self.layout),
                "size": In(words),
                **({"groups": In(words), "row": In(range(most_row + 1))} if params.packed_operands else {}),
                "i": In(stream.Signature(fp32_beat(params.input_width))),
                "write": Out(vectors),
                **{name: self._writer.signature.members[name] for name in ("slices", "address", "data")},
                "panels": Out(words),
                "busy": Out(1),
                "bias": Out(signed(9)),
                "too_short": Out(1),
                "too_long": Out(1),
                "exp_saturated": Out(1),
                "nonfinite": Out(1),
                "saturated": Out(range(bfp.lanes + 1)),
            }
        )

    @property
    def converter_latency(self) -> int:
        """Cycles from a group, or its last number, to the converted group."""
        return self._converter.latency

    @property
    def compare_latency(self) -> int:
        """Cycles from the last word written until the next operand can be loaded; the meter compares in between."""
        return self._converter.meter_latency + THRESHOLD + 3 if self.metered else 1

    def elaborate(self, platform):
        m = Module()
        settings = Signal(self.layout)
        finding = Signal()
        size = Signal.like(self.size)
        started = Signal()  # a reset must clear it
        m.d.sync += started.eq(self.start)
        with m.If(self.start):
            m.d.sync += [settings.eq(self.settings), size.eq(self.size), finding.eq(self.find)]

        framer, writer = self._framer, self._writer
        transposed = settings.transposed if self._transposer else Const(0)
        upsizer = StreamUpsizer(self.bfp.lanes, self.params.input_width)
        beats = SkidBuffer(fp32_beat(self.params.input_width))
        converter, skid_buffer = self._converter, SkidBuffer(self.converter.layout_o)
        chunker = Chunker(self.converter, self.params.write_width)
        stage = RegisterSlice(writer.i.payload.shape())
        comparing, ports = self._compare(m, started & ~finding) if self.metered else (Const(0), {})
        length = Mux(transposed, settings.vectors, settings.length)
        packed, unpacker_ready = Const(0), Const(0)
        chunks = {"i": chunker.o}
        if self.unpacker:
            unpacker, packed = self.unpacker, settings.packed
            row, groups = Signal.like(self.row), Signal.like(self.groups)
            with m.If(self.start):
                m.d.sync += [row.eq(self.row), groups.eq(self.groups)]
            length = Mux(packed, row, length)
            unpacker_ready = unpacker.i.ready
            chunks = {
                "i__payload": Mux(packed, unpacker.o.payload.as_value(), chunker.o.payload.as_value()),
                "i__valid": Mux(packed, unpacker.o.valid, chunker.o.valid),
            }
            place(
                m,
                platform,
                "unpacker",
                unpacker,
                start=started,
                chunks=settings.chunks,
                groups=groups,
                i__payload=framer.o.payload,
                i__valid=framer.o.valid & packed,
                padding=framer.padding,
                o__ready=stage.i.ready & packed,
            )
        numbers, ready = self._transpose(
            m,
            platform,
            settings,
            started,
            framer.o.valid & ~finding & ~packed,
            converter.i if self.serial else beats.i,
        )
        place(
            m,
            platform,
            "framer",
            framer,
            start=started,
            rows=Mux(transposed, settings.length, settings.vectors),
            length=length,
            i=self.i,
            o__ready=Mux(packed, unpacker_ready, ready | finding),
        )
        if not self.serial:
            # Registers `ready`: from the converter to the transposer's memories is too long a path for one cycle.
            place(m, platform, "beats", beats, **numbers, o=upsizer.i)
            place(m, platform, "upsizer", upsizer, i=beats.o, o=converter.i)
            numbers = {"i": upsizer.o}
        settling, found = self._find(m, platform, finding, started & finding)
        with m.If(self.start & ~self.find):
            m.d.sync += self.bias.eq(Mux(self.settings.bias_auto, found, self.settings.bias))
        random = self._words.words
        step = converter.step
        if self.serial:  # one word of the group per step
            at = Signal(range(self.bfp.lanes))
            random = random.word_select(at, self._words.width)
            step = converter.step & at.all()
            m.d.sync += at.eq(at + converter.step)
        place(
            m,
            platform,
            "rounding_words",
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
            **numbers,
            o=skid_buffer.i,
            **ports,
        )
        place(m, platform, "skid_buffer", skid_buffer, i=converter.o, o=chunker.i)
        place(
            m,
            platform,
            "chunker",
            chunker,
            chunks=settings.chunks,
            i=skid_buffer.o,
            o__ready=stage.i.ready & ~packed,
        )
        # From the chunker's count to the writer's addresses is too long a path for one cycle on a full chip.
        place(m, platform, "register_slice", stage, **chunks, o=writer.i)
        place(
            m,
            platform,
            "writer",
            writer,
            start=started & ~finding,
            transposed=transposed,
            count=settings.vectors,
            chunks=settings.chunks,
            size=size,
            i=stage.o,
        )
        ports = ("write", "slices", "address", "data", "panels")
        m.d.comb += [getattr(self, name).eq(getattr(writer, name)) for name in ports]
        taken = converter.o.valid & skid_buffer.i.ready
        m.d.comb += [
            self.i.ready.eq(framer.i.ready),
            self.exp_saturated.eq(converter.saturated_group & taken),
            self.nonfinite.eq(converter.nonfinite_group & taken),
            self.saturated.eq(Mux(taken, converter.saturated_elements, 0)),
            self.too_short.eq(framer.too_short),
            self.too_long.eq(framer.too_long),
            self.busy.eq(started | framer.busy | writer.busy | settling | comparing),
        ]
        return m

    def _transpose(
        self, m: Module, platform, settings: Value, started: Value, valid: Value, sink: stream.Interface
    ) -> tuple[dict[str, Any], Value]:
        """Connections from the framer's numbers in order to their sink, and whether the framer's beat is accepted."""
        framer = self._framer
        if self._transposer is None:
            return {"i__payload": framer.o.payload, "i__valid": valid}, sink.ready
        place(
            m,
            platform,
            "transposer",
            self._transposer,
            start=started,
            transposed=settings.transposed,
            rows=settings.length,
            vectors=settings.vectors,
            i__payload=framer.o.payload,
            i__valid=valid,
            o=sink,
        )
        return {"i": self._transposer.o}, self._transposer.i.ready

    def _compare(self, m: Module, starts: Value) -> tuple[Value, dict[str, Value]]:
        """Start the meter's comparison after the last write; return whether it is pending, and the meter's inputs."""
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
        """Feed the bias finder; return whether its bias is still incomplete, and the bias."""
        framer, finder = self._framer, BiasFinder(self.params.input_width, self.bfp.exponent)
        taken = framer.o.valid & finding
        place(m, platform, "finder", finder, start=starts, take=taken, i=framer.o.payload.number)
        left = Signal(range(finder.latency + 1))
        with m.If(finding & framer.busy):
            m.d.sync += left.eq(finder.latency)
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)
        return left.any(), finder.bias
