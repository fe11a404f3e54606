"""Packed results: converts the results of a product to packed groups along N."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.group_assembler import GroupAssembler
from lowtide.engine.group_packer import GroupPacker
from lowtide.engine.params import EngineParams
from lowtide.engine.rounding_words import RoundingWords
from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit, place
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.conversion.serial_converter import SerialBfpConverter
from lowtide.units.stream.width_converters import StreamUpsizer

__all__ = ["GroupLayout", "PackedResults"]


class GroupLayout(data.StructLayout):
    """Settings of the conversion of results to packed groups.

    Parameters
    ----------
    bfp : Bfp
        Format of the groups.
    lfsr_bits : int
        Width of a seed in bits.

    Members
    -------
    chunks : unsigned
        Chunks of A per magnitude, at least 1.
    rounding : 2 bits
        Index into `ROUNDINGS`.
    seed : unsigned
        Seed of the random words; not 0.
    bias : signed, 9 bits
        Exponent bias ``B``.
    """

    def __init__(self, bfp: Bfp, lfsr_bits: int):
        most = bfp.mantissa // bfp.chunk_a
        super().__init__({"chunks": most.bit_length(), "rounding": 2, "seed": lfsr_bits, "bias": signed(9)})


class PackedResults(Unit):
    """Packed results: converts FP32 results to groups along N, and packs the groups into words.

    The tiles arrive in row order. The groups leave in the order of a `GroupAssembler`: for each row of tiles, group 0
    of each row, then group 1 of each row, and so on; only groups with results of the product. A group is a group of
    operand A of a later product. A `SerialBfpConverter` converts one number per cycle. The groups of a row of tiles at
    one place along N are a row for the random words.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    bfp : Bfp
        Format of the groups.
    params : EngineParams
        Numbers per beat, buffer depth, random words.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of a product. Only while ``busy`` is low.
    settings : In(GroupLayout(bfp, params.lfsr_bits))
        Settings; steady from ``start`` until ``busy`` is low, as ``vectors`` and ``length``.
    vectors : In(range(rows * params.buffer_depth + 1))
        Rows of the product.
    length : In(range(columns * params.buffer_depth + 1))
        Columns of the product.
    i : In(stream of fp32_beat(params.output_width))
        Results, column 0 of a row first. ``last`` is ignored.
    o : Out(stream of fp32_beat(params.output_width))
        Words of the groups, as bits of FP32 numbers, without gaps; zeros fill the last beat. ``last`` is high with the
        last beat of a product.
    busy : Out(1)
        High from the cycle after ``start`` until the last beat is accepted on ``o``.
    exp_saturated : Out(1)
        Pulses for one cycle with a group whose exponent is above the window.
    nonfinite : Out(1)
        Pulses for one cycle with a group that has a NaN or an infinity.
    saturated : Out(range(bfp.lanes + 1))
        Number of elements saturated at the largest magnitude in this cycle.
    """

    def __init__(self, rows: int, columns: int, bfp: Bfp, params: EngineParams):
        numbers = params.output_width
        self.lanes = bfp.lanes
        self.converter = ConverterParams(
            lanes=bfp.lanes,
            mantissa=bfp.mantissa,
            chunk=bfp.chunk_a,
            exponent=bfp.exponent,
            rounding="carry",
            random=params.random_bits + 1,
        )
        vectors, length = rows * params.buffer_depth, columns * params.buffer_depth
        self.assembler = GroupAssembler(rows, columns, numbers, bfp.lanes, vectors, length)
        self._words = RoundingWords(params.source(bfp.lanes), self.converter.random)
        self._converter = SerialBfpConverter(self.converter)
        self._packer = GroupPacker(self.converter)
        self._upsizer = StreamUpsizer(numbers, 1)
        self.module_name = f"packed_results_{self.assembler.module_name}_{self.converter.name}_b{params.random_name}"
        beat = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "settings": In(GroupLayout(bfp, params.lfsr_bits)),
                "vectors": In(range(vectors + 1)),
                "length": In(range(length + 1)),
                "i": In(stream.Signature(beat)),
                "o": Out(stream.Signature(beat)),
                "busy": Out(1),
                "exp_saturated": Out(1),
                "nonfinite": Out(1),
                "saturated": Out(range(bfp.lanes + 1)),
            }
        )

    @property
    def converter_latency(self) -> int:
        """Cycles from the last number of a group to the converted group."""
        return self._converter.latency

    def elaborate(self, platform):
        m = Module()
        settings, converter = self.settings, self._converter
        assembler = place(
            m,
            platform,
            "assembler",
            self.assembler,
            start=self.start,
            vectors=self.vectors,
            length=self.length,
            i=self.i,
            o__ready=converter.i.ready,
        )
        lane = Signal(range(self.lanes))
        m.d.sync += lane.eq(lane + converter.step)
        place(
            m,
            platform,
            "rounding_words",
            self._words,
            rounding=settings.rounding,
            load=self.start,
            seed=settings.seed,
            step=converter.step & lane.all(),
            row=converter.row,
        )
        place(
            m,
            platform,
            "converter",
            converter,
            bias=settings.bias,
            chunks=settings.chunks,
            random=self._words.words.word_select(lane, self._words.width),
            i__payload=Cat(assembler.o.payload.number.as_value(), assembler.o.payload.last),
            i__valid=assembler.o.valid,
            o__ready=self._packer.i.ready,
        )

        # The last group of a product is the only group in the converter after the assembler is no longer busy.
        groups = Signal(range(8))
        enters, leaves = Signal(), Signal()
        m.d.comb += [
            enters.eq(assembler.o.valid & converter.i.ready & assembler.o.payload.group),
            leaves.eq(converter.o.valid & self._packer.i.ready),
        ]
        m.d.sync += groups.eq(groups + enters - leaves)
        group = Signal(self.converter.layout_o)
        m.d.comb += [
            group.group.eq(converter.o.payload.group),
            group.last.eq(~assembler.busy & (groups == 1)),
        ]
        packer = place(
            m,
            platform,
            "packer",
            self._packer,
            chunks=settings.chunks,
            i__payload=group.as_value(),
            i__valid=converter.o.valid,
            o__ready=self._upsizer.i.ready,
        )
        upsizer = place(m, platform, "upsizer", self._upsizer, i=packer.o, o__ready=self.o.ready)
        busy = Signal()
        with m.If(self.o.valid & self.o.ready & self.o.payload.last):
            m.d.sync += busy.eq(0)
        with m.If(self.start):
            m.d.sync += busy.eq(1)
        m.d.comb += [
            self.i.ready.eq(assembler.i.ready),
            self.o.payload.number.eq(upsizer.o.payload.lane),
            self.o.payload.last.eq(upsizer.o.payload.last),
            self.o.valid.eq(upsizer.o.valid),
            self.busy.eq(busy),
            self.exp_saturated.eq(converter.saturated_group & leaves),
            self.nonfinite.eq(converter.nonfinite_group & leaves),
            self.saturated.eq(Mux(leaves, converter.saturated_elements, 0)),
        ]
        return m
