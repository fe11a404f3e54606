"""Integer loader: takes an operand of integers from its stream and writes it into the operand buffer."""

from amaranth.hdl import Const, Module, Signal, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.integer_unpacker import IntegerUnpacker
from lowtide.engine.operand_framer import OperandFramer
from lowtide.engine.operand_writer import OperandWriter
from lowtide.engine.params import EngineParams
from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit, place
from lowtide.units.stream.buffers import RegisterSlice

__all__ = ["IntegerLoader"]


class IntegerLoader(Unit):
    """Integer loader: unpacks an operand of integers, and writes its words into the buffer of each vector.

    The loader takes the place of a `Loader` in an engine of integers, which need no conversion. A vector is a row of A
    or a column of B. A panel has as many vectors as the array has rows or columns.

    Parameters
    ----------
    vectors : int
        Vectors per panel.
    layout : IntegerLayout
        Layout of the settings.
    width : int
        Bits of an integer.
    params : EngineParams
        Stream width and buffer depth.

    Members
    -------
    start : In(1)
        Pulses for one cycle to load an operand. Only while ``busy`` is low.
    settings : In(layout)
        Settings of the operand; sampled with ``start``.
    groups, size : In(range(params.buffer_depth + 1))
        Words of the buffer per vector; sampled with ``start``.
    row : In(range(layout.most_row + 1))
        Words of the stream per vector; sampled with ``start``.
    i : In(stream of fp32_beat(params.input_width))
        Operand; ``last`` is high with its last beat.
    write : Out(vectors)
        Write enable of the buffer, one bit per vector.
    slices : Out(params.write_width)
        Write enable of the buffer, one bit per slice.
    address : Out(ArrayLayout(range(params.buffer_depth // params.write_width), params.write_width))
        Address to write in each slice.
    data : Out(ArrayLayout(word, params.write_width))
        Word to write into each slice.
    panels : Out(range(params.buffer_depth + 1))
        Number of complete panels; all ones after the last panel. Zero from the cycle after ``start``.
    busy : Out(1)
        High while the loader cannot start another operand.
    bias : Out(signed(9))
        Exponent of the operand's scale. Valid one cycle after ``start``; keeps its value until the next load.
    too_short : Out(1)
        Pulses for one cycle when the stream of the operand ends too early.
    too_long : Out(1)
        Pulses for one cycle when the stream of the operand does not end with its last beat.
    """

    metered = serial = False
    converter_latency, compare_latency = 0, 1

    def __init__(self, vectors: int, layout: IntegerLayout, width: int, params: EngineParams):
        self.layout, self.params = layout, params
        depth, numbers = params.buffer_depth, params.input_width
        self._framer = OperandFramer(numbers, max(vectors * depth, layout.most_row))
        self.unpacker = IntegerUnpacker(width, layout.lanes, numbers, layout.max_k, depth, params.write_width)
        self.word = self.unpacker.word
        self._writer = OperandWriter(vectors, self.word, depth, layout.most_chunks, params.write_width)
        self.module_name = f"integer_loader_{vectors}x{depth}_n{numbers}_{layout.name}_w{params.write_width}"
        words = range(depth + 1)
        super().__init__(
            {
                "start": In(1),
                "settings": In(layout),
                "groups": In(words),
                "size": In(words),
                "row": In(range(layout.most_row + 1)),
                "i": In(stream.Signature(fp32_beat(numbers))),
                "write": Out(vectors),
                **{name: self._writer.signature.members[name] for name in ("slices", "address", "data")},
                "panels": Out(words),
                "busy": Out(1),
                "bias": Out(signed(9)),
                "too_short": Out(1),
                "too_long": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        settings = Signal(self.layout)
        started = Signal()  # a reset must clear it
        steady = {name: Signal.like(getattr(self, name), name=f"{name}_now") for name in ("groups", "size", "row")}
        m.d.sync += started.eq(self.start)
        with m.If(self.start):
            m.d.sync += [settings.eq(self.settings), self.bias.eq(self.settings.bias)]
            m.d.sync += [signal.eq(getattr(self, name)) for name, signal in steady.items()]
        framer, unpacker, writer = self._framer, self.unpacker, self._writer
        stage = RegisterSlice(writer.i.payload.shape())
        rows, length = Signal.like(framer.rows), Signal.like(framer.length)
        m.d.comb += [rows.eq(settings.vectors), length.eq(steady["row"])]
        place(
            m,
            platform,
            "framer",
            framer,
            start=started,
            rows=rows,
            length=length,
            i=self.i,
            o=unpacker.i,
        )
        place(
            m,
            platform,
            "unpacker",
            unpacker,
            start=started,
            length=settings.length,
            groups=steady["groups"],
            i=framer.o,
            padding=framer.padding,
            o=stage.i,
        )
        place(m, platform, "register_slice", stage, i=unpacker.o, o=writer.i)
        place(
            m,
            platform,
            "writer",
            writer,
            start=started,
            transposed=Const(0),
            count=settings.vectors,
            chunks=Const(1),
            size=steady["size"],
            i=stage.o,
        )
        ports = ("write", "slices", "address", "data", "panels")
        m.d.comb += [getattr(self, name).eq(getattr(writer, name)) for name in ports]
        m.d.comb += [
            self.i.ready.eq(framer.i.ready),
            self.too_short.eq(framer.too_short),
            self.too_long.eq(framer.too_long),
            self.busy.eq(started | framer.busy | writer.busy),
        ]
        return m
