"""Chunker: splits a group into the chunks of a processing element."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import ChunksLayout
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.logic import at_most, mux

__all__ = ["Chunker"]


class Chunker(Unit):
    """Chunker: splits groups into chunks of ``w`` bits, the most significant first, ``parallel`` chunks per cycle.

    In a group with magnitudes ``M`` and exponent code ``E``, the chunk with ``b`` chunks below it has magnitudes
    ``floor(M / 2**(w * b)) mod 2**w``, the elements' signs, and code ``E + w * b``. A zero chunk keeps its element's
    sign.

    The unit stores only the number of chunks sent. A group stays on ``i`` until its last chunk is accepted; its first
    chunk is valid in the cycle in which the group is valid.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups. The rounding is ignored.
    parallel : int
        Chunks per cycle.

    Members
    -------
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady from the first group of a tensor to its last chunk.
    i : In(stream of params.layout_o)
        Groups, with magnitudes in the low ``chunks * w`` bits, as a converter sends them.
    o : Out(stream of ChunksLayout(params.layout_chunk, parallel))
        Chunks, the most significant first. ``last`` marks the last chunk of a group whose ``last`` is high.
    """

    def __init__(self, params: ConverterParams, parallel: int = 1):
        self.params, self.parallel = params, parallel
        self.module_name = f"chunker_l{params.lanes}_m{params.mantissa}_w{params.chunk}_e{params.exponent}" + (
            f"_p{parallel}" if parallel > 1 else ""
        )
        super().__init__(
            {
                "chunks": In(range(params.max_chunks + 1)),
                "i": In(stream.Signature(params.layout_o)),
                "o": Out(stream.Signature(ChunksLayout(params.layout_chunk, parallel))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, most = self.params, self.params.max_chunks
        group = self.i.payload.group
        sent = Signal(range(0, most, self.parallel))
        # If all chunks are sent at once, a signal would share its name with ``o``, and linters would report a loop.
        left = Signal(range(most + 1)) if self.parallel < most else self.chunks
        last_chunk = Signal()
        if self.parallel < most:
            m.d.comb += left.eq(self.chunks - sent)
        m.d.comb += [
            last_chunk.eq(at_most(left, self.parallel)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready & last_chunk),
            self.o.payload.last.eq(self.i.payload.last & last_chunk),
            self.o.payload.count.eq(Mux(last_chunk, left, self.parallel)),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += sent.eq(Mux(last_chunk, 0, sent + self.parallel))
        for n in range(min(self.parallel, most)):
            below = Signal(range(most - n), name=f"below_{n}")
            chunk = self.o.payload.chunk[n]
            m.d.comb += [below.eq(left - 1 - n), chunk.exponent.eq(group.exponent + params.chunk * below)]
            for whole, part in zip(group.lane, chunk.lane, strict=True):
                magnitude = mux([whole.magnitude.word_select(k, params.chunk) for k in range(most - n)], below)
                m.d.comb += [part.magnitude.eq(magnitude), part.sign.eq(whole.sign)]
        return m
