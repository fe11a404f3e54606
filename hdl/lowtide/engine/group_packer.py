"""Group packer: sends the words of packed groups."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.packed import WORD, PackedLayout
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.logic import mux

__all__ = ["GroupPacker"]


class GroupPacker(Unit):
    """Group packer: sends each group as the words of a `PackedLayout`, a word per cycle. Combinational.

    The inverse of a `GroupUnpacker`. The source must hold a group until the unit accepts it with its last word.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups. The rounding is ignored.

    Members
    -------
    chunks : In(range(params.max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady while a group is offered.
    i : In(stream of params.layout_o)
        Groups, with magnitudes in the low ``chunks * w`` bits and zeros above; ``last`` is user-defined.
    o : Out(stream of fp32_beat(1))
        Words, as bits of FP32 numbers; ``last`` is high with the last word of a group whose ``last`` is high.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.layout = PackedLayout(lanes=params.lanes, exponent=params.exponent)
        self.module_name = f"group_packer_l{params.lanes}_m{params.mantissa}_w{params.chunk}_e{params.exponent}"
        super().__init__(
            {
                "chunks": In(range(params.max_chunks + 1)),
                "i": In(stream.Signature(params.layout_o)),
                "o": Out(stream.Signature(fp32_beat(1))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, layout, group = self.params, self.layout, self.i.payload.group
        sizes = [layout.words(max(chunks, 1) * params.chunk) for chunks in range(params.max_chunks + 1)]
        most = sizes[-1]
        code = Cat(group.exponent, Const(0, layout.magnitudes_at - layout.code_at - len(group.exponent)))
        planes = [lane.magnitude[bit] for bit in range(params.mantissa) for lane in group.lane]
        bits = Cat(*(lane.sign for lane in group.lane), code, *planes)
        bits = Cat(bits, Const(0, most * WORD - len(bits)))
        at = Signal(range(most))
        ends = Signal()
        m.d.comb += [
            ends.eq(at + 1 == mux([Const(size, range(most + 1)) for size in sizes], self.chunks)),
            self.o.payload.number.eq(mux([bits.word_select(n, WORD) for n in range(most)], at)),
            self.o.payload.last.eq(ends & self.i.payload.last),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready & ends),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += at.eq(Mux(ends, 0, at + 1))
        return m
