"""Chunker: splits a group into the chunks of a processing element."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams

__all__ = ["Chunker"]


class Chunker(Unit):
    """Chunker: splits groups into chunks of ``w`` bits, the most significant first.

    In a group with magnitudes ``M`` and exponent code ``E``, the chunk with ``b`` chunks below it has magnitudes
    ``floor(M / 2**(w * b)) mod 2**w``, the elements' signs, and code ``E + w * b``. A zero chunk keeps its element's
    sign.

    The unit stores only the number of chunks sent. A group stays on ``i`` until its last chunk is accepted; its first
    chunk is valid in the cycle in which the group is valid.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups. The rounding is ignored.

    Members
    -------
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady from the first group of a tensor to its last chunk.
    i : In(stream of params.layout_o)
        Groups, with magnitudes in the low ``chunks * w`` bits, as a converter sends them.
    o : Out(stream of {"chunk": params.layout_chunk, "last": 1})
        Chunks; ``last`` marks the last chunk of a group whose ``last`` is high.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"chunker_l{params.lanes}_m{params.mantissa}_w{params.chunk}_e{params.exponent}"
        super().__init__(
            {
                "chunks": In(range(params.max_chunks + 1)),
                "i": In(stream.Signature(params.layout_o)),
                "o": Out(stream.Signature(data.StructLayout({"chunk": params.layout_chunk, "last": 1}))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        group, chunk = self.i.payload.group, self.o.payload.chunk
        sent = Signal(range(params.max_chunks))
        below = Signal(range(params.max_chunks))
        last_chunk = Signal()
        m.d.comb += [
            below.eq(self.chunks - 1 - sent),
            last_chunk.eq(below == 0),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready & last_chunk),
            self.o.payload.last.eq(self.i.payload.last & last_chunk),
            chunk.exponent.eq(group.exponent + params.chunk * below),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += sent.eq(sent + 1)
            with m.If(last_chunk):
                m.d.sync += sent.eq(0)
        for whole, part in zip(group.lane, chunk.lane, strict=True):
            m.d.comb += [part.magnitude.eq(whole.magnitude.word_select(below, params.chunk)), part.sign.eq(whole.sign)]
        return m
