"""Operand writer: writes the chunks of an operand into the buffer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import ChunkLayout, ChunksLayout
from lowtide.netlist import Unit
from lowtide.units.logic import at_most, mux

__all__ = ["OperandWriter"]


class OperandWriter(Unit):
    """Operand writer: writes an operand, up to ``parallel`` chunks per cycle, into the memories of a panel's vectors.

    Vector ``n`` of the operand is vector ``n mod vectors`` of panel ``n // vectors``. In the memory of its vector,
    panel ``p`` starts at word ``p * size``: its groups in order, and the chunks of each group from the most
    significant. Groups arrive vector by vector; or, for a transposed operand, the first group of every vector before
    the second. At the end the writer fills the unused vectors of the last panel with zeros.

    Word ``x`` of a vector is word ``x // parallel`` of slice ``x mod parallel`` of the vector's memory, so the chunks
    of a cycle are in different slices. They may begin at any slice, because a panel may have any number of words.

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
    parallel : int
        Chunks per cycle, a power of two that divides ``words``.

    Members
    -------
    start : In(1)
        Pulses for one cycle to write an operand. Only while ``busy`` is low.
    transposed : In(1)
        High if groups arrive transposed; stable while ``busy`` is high.
    count : In(range(vectors * words + 1))
        Vectors of the operand, at least 1; stable while ``busy`` is high.
    chunks : In(range(most + 1))
        Chunks per group, at least 1; stable while ``busy`` is high.
    size : In(range(words + 1))
        Words per panel: groups per vector times ``chunks``; valid with ``start``, and stable while ``busy`` is high.
    i : In(stream of ChunksLayout(chunk, parallel))
        Chunks of one vector; in transposed order the chunks of one group, or ``parallel`` of them and then the others.
        ``last`` is ignored.
    write : Out(vectors)
        Write enable of the buffer, one bit per vector.
    slices : Out(parallel)
        Write enable of the buffer, one bit per slice.
    address : Out(ArrayLayout(range(words // parallel), parallel))
        Address to write in each slice.
    data : Out(ArrayLayout(chunk, parallel))
        Chunk to write into each slice.
    panels : Out(range(words + 1))
        Number of complete panels; all ones after the last panel. Zero from the cycle after ``start``.
    busy : Out(1)
        High while an operand is being written.
    """

    def __init__(self, vectors: int, chunk: ChunkLayout, words: int, most: int, parallel: int = 1):
        self.vectors, self.words, self.most, self.parallel = vectors, words, most, parallel
        self.module_name = f"operand_writer_{vectors}x{words}_{chunk.size}_c{most}_p{parallel}"
        super().__init__(
            {
                "start": In(1),
                "transposed": In(1),
                "count": In(range(vectors * words + 1)),
                "chunks": In(range(most + 1)),
                "size": In(range(words + 1)),
                "i": In(stream.Signature(ChunksLayout(chunk, parallel))),
                "write": Out(vectors),
                "slices": Out(parallel),
                "address": Out(data.ArrayLayout(range(words // parallel), parallel)),
                "data": Out(data.ArrayLayout(chunk, parallel)),
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
        at = Signal(range(self.words))  # words of the panel before the current ones
        group_at = Signal(range(self.words))  # words of the panel before the current group
        word = Signal(range(self.words))  # of the bank, the first one to write
        take = Signal()
        step = Signal(range(self.words + self.parallel))  # a panel may be as long as the buffer
        rest = Signal.like(self.size)  # remaining words of the panel
        group_rest = Signal.like(self.size)  # remaining words of the panel from the current group on
        rest_after = Signal.like(self.size)
        count = Signal(range(self.parallel + 1))
        m.d.comb += [
            self.i.ready.eq(writing),
            take.eq(writing & self.i.valid),
            self.busy.eq(writing | clearing),
            word.eq(base + at),
            count.eq(self.i.payload.count),
        ]
        with m.If(clearing):
            m.d.comb += count.eq(Mux(at_most(rest, self.parallel - 1), rest, self.parallel))
        here = Cat(vector == n for n in range(self.vectors))
        from_here = Cat(at_most(vector, n) for n in range(self.vectors))
        m.d.comb += self.write.eq(Mux(clearing, from_here, here & take.replicate(self.vectors)))
        self._slices(m, word, count, clearing)

        group_ends = self._group_ends(m, take)
        advance = Signal.like(count)
        m.d.comb += advance.eq(Mux(clearing, self.parallel, self.i.payload.count))
        vector_ends = Signal()
        last_vector = Signal()
        full = Signal()
        m.d.comb += [
            # No adder waits for another: beyond the end, words to clear are counted, but not written.
            step.eq(at + advance),
            rest_after.eq(rest - advance),
            vector_ends.eq(Mux(clearing, at_most(rest, self.parallel), rest == self.i.payload.count)),
            last_vector.eq(left == 1),
            full.eq(vector == self.vectors - 1),
        ]
        with m.If(take):
            m.d.sync += [at.eq(step), rest.eq(rest_after)]
            with m.If(Mux(self.transposed, group_ends, vector_ends)):
                m.d.sync += [vector.eq(vector + 1), left.eq(left - 1), at.eq(group_at), rest.eq(group_rest)]
                with m.If(full):
                    m.d.sync += [vector.eq(0), base.eq(base + self.size)]
                    with m.If(~self.transposed):
                        m.d.sync += self.panels.eq(self.panels + 1)
                with m.If(last_vector & self.transposed):  # back to the first one, for the next group
                    m.d.sync += [vector.eq(0), left.eq(self.count), base.eq(0)]
                    m.d.sync += [at.eq(step), group_at.eq(step), rest.eq(rest_after), group_rest.eq(rest_after)]
            with m.If(vector_ends & last_vector):
                m.d.sync += [writing.eq(0), clearing.eq(~full), vector.eq(vector + 1), base.eq(base)]
                m.d.sync += [at.eq(0), rest.eq(self.size)]
                with m.If(full):
                    m.d.sync += self.panels.eq(-1)
        with m.If(clearing):
            m.d.sync += [at.eq(step), rest.eq(rest_after)]
            with m.If(vector_ends):
                m.d.sync += [clearing.eq(0), self.panels.eq(-1)]
        with m.If(self.start):
            first = (vector, base, at, group_at, self.panels)
            m.d.sync += [writing.eq(1), left.eq(self.count), *(signal.eq(0) for signal in first)]
            m.d.sync += [rest.eq(self.size), group_rest.eq(self.size)]
        return m

    def _group_ends(self, m: Module, take: Signal):
        """Whether the chunks of the cycle are the last ones of their group."""
        if self.most <= self.parallel:
            return Const(1)
        left = Signal.like(self.chunks)  # remaining chunks of the group
        ends = Signal()
        m.d.comb += ends.eq(left == self.i.payload.count)
        with m.If(take):
            m.d.sync += left.eq(Mux(ends, self.chunks, left - self.i.payload.count))
        with m.If(self.start):
            m.d.sync += left.eq(self.chunks)
        return ends

    def _slices(self, m: Module, word: Signal, count: Signal, clearing: Signal) -> None:
        """Write ``count`` chunks from a word on, or zeros."""
        parallel, bits = self.parallel, (self.parallel - 1).bit_length()
        first = Signal(range(parallel))  # slice of the first chunk
        m.d.comb += first.eq(word)
        chunks = [chunk.as_value() for chunk in self.i.payload.chunk]
        for n in range(parallel):
            # Slice n has the first chunk if n is `first`, and the next address in a slice below `first`.
            place = mux([Const((n - begin) % parallel, bits) for begin in range(parallel)], first)
            chunk = mux([chunks[(n - begin) % parallel] for begin in range(parallel)], first)
            m.d.comb += [
                self.slices[n].eq(place < count),
                self.address[n].eq((word + (parallel - 1 - n)) >> bits),
                self.data[n].eq(Mux(clearing, 0, chunk)),
            ]
