"""Operand writer: writes the chunks of an operand into the buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import ChunkLayout
from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["OperandWriter"]


class OperandWriter(Unit):
    """Operand writer: writes an operand, chunk by chunk, into the memories of the vectors of a panel.

    Vector ``n`` of the operand is vector ``n mod vectors`` of panel ``n // vectors``. In the memory of its vector,
    panel ``p`` starts at word ``p * size``: its groups in order, and the chunks of each group from the most
    significant. Groups arrive vector by vector; or, for a transposed operand, the first group of every vector before
    the second. At the end the writer fills the unused vectors of the last panel with zeros.

    Parameters
    ----------
    vectors : int
        Vectors per panel.
    chunk : ChunkLayout
        Layout of a chunk.
    words : int
        Words per bank of the buffer.
    most : int
        Maximum number of chunks per group.

    Members
    -------
    start : In(1)
        Pulses for one cycle to write an operand. Only while ``busy`` is low.
    transposed : In(1)
        High if groups arrive transposed; stable while ``busy`` is high.
    count : In(range(vectors * words + 1))
        Vectors of the operand, at least 1; stable while ``busy`` is high.
    groups : In(range(words + 1))
        Groups per vector, at least 1; stable while ``busy`` is high.
    chunks : In(range(most + 1))
        Chunks per group, at least 1; stable while ``busy`` is high.
    size : In(range(words + 1))
        Words per panel, ``groups * chunks``; stable while ``busy`` is high.
    i : In(stream of {"chunk": chunk, "last": 1})
        Chunks, accepted one per cycle. ``last`` is ignored.
    write : Out(vectors)
        Write enable of the buffer, one bit per vector.
    address : Out(range(words))
        Address to write.
    data : Out(chunk)
        Chunk to write.
    panels : Out(range(words + 1))
        Number of complete panels; all ones after the last panel. Zero from the cycle after ``start``.
    busy : Out(1)
        High while an operand is being written.
    """

    def __init__(self, vectors: int, chunk: ChunkLayout, words: int, most: int):
        self.vectors, self.words = vectors, words
        self.module_name = f"operand_writer_{vectors}x{words}_{chunk.size}_c{most}"
        super().__init__(
            {
                "start": In(1),
                "transposed": In(1),
                "count": In(range(vectors * words + 1)),
                "groups": In(range(words + 1)),
                "chunks": In(range(most + 1)),
                "size": In(range(words + 1)),
                "i": In(stream.Signature(data.StructLayout({"chunk": chunk, "last": 1}))),
                "write": Out(vectors),
                "address": Out(range(words)),
                "data": Out(chunk),
                "panels": Out(range(words + 1)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        writing = Signal()
        clearing = Signal()
        vector = Signal(range(self.vectors))  # current vector of the panel
        left = Signal.like(self.count)  # remaining vectors, including this one
        base = Signal(range(self.words))  # words of the previous panels
        groups = Signal.like(self.groups)  # remaining groups of the vector, including this one
        chunks = Signal.like(self.chunks)  # remaining chunks of the group, including this one
        at = Signal(range(self.words))  # words of the panel before the current one
        group_at = Signal(range(self.words))  # words of the panel before the current group
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(writing),
            take.eq(writing & self.i.valid),
            self.busy.eq(writing | clearing),
            self.address.eq(base + at),
            self.data.eq(Mux(clearing, 0, self.i.payload.chunk.as_value())),
        ]
        here = Cat(vector == n for n in range(self.vectors))
        from_here = Cat(at_most(vector, n) for n in range(self.vectors))
        m.d.comb += self.write.eq(Mux(clearing, from_here, here & take.replicate(self.vectors)))

        last_chunk = Signal()
        last_group = Signal()
        last_vector = Signal()
        full = Signal()
        step = Signal(range(self.words + 1))  # a panel may be as long as the buffer
        m.d.comb += [
            last_chunk.eq(chunks == 1),
            last_group.eq(groups == 1),
            last_vector.eq(left == 1),
            full.eq(vector == self.vectors - 1),
            step.eq(at + 1),
        ]
        with m.If(take):
            m.d.sync += [at.eq(step), chunks.eq(Mux(last_chunk, self.chunks, chunks - 1))]
            with m.If(last_chunk & (last_vector | ~self.transposed)):
                m.d.sync += groups.eq(Mux(last_group, self.groups, groups - 1))
            with m.If(last_chunk & (last_group | self.transposed)):
                m.d.sync += [vector.eq(vector + 1), left.eq(left - 1), at.eq(group_at)]
                with m.If(full):
                    m.d.sync += [vector.eq(0), base.eq(base + self.size)]
                    with m.If(~self.transposed):
                        m.d.sync += self.panels.eq(self.panels + 1)
                with m.If(last_vector & self.transposed):  # back to the first one, for the next group
                    m.d.sync += [vector.eq(0), left.eq(self.count), base.eq(0), at.eq(step), group_at.eq(step)]
            with m.If(last_chunk & last_group & last_vector):
                m.d.sync += [writing.eq(0), clearing.eq(~full), vector.eq(vector + 1), base.eq(base), at.eq(0)]
                with m.If(full):
                    m.d.sync += self.panels.eq(-1)
        with m.If(clearing):
            m.d.sync += at.eq(step)
            with m.If(step == self.size):
                m.d.sync += [clearing.eq(0), self.panels.eq(-1)]
        with m.If(self.start):
            first = (vector, base, at, group_at, self.panels)
            m.d.sync += [writing.eq(1), *(signal.eq(0) for signal in first)]
            m.d.sync += [left.eq(self.count), groups.eq(self.groups), chunks.eq(self.chunks)]
        return m
