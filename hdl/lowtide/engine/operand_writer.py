"""Writer: where in the buffers of its lines an operand's chunks go."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import ChunkLayout
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import at_most

__all__ = ["OperandWriter"]


class OperandWriter(Unit):
    """Writes an operand, chunk by chunk, into one buffer for each line of a panel.

    Line ``n`` of the operand belongs to line ``n mod lines`` of panel ``n // lines``. In the buffer of its line, panel
    ``p`` has the words from ``p * words`` on: its groups in order, and of each its chunks, the most significant first.
    Groups come line by line; or, of an operand that is read across, the first group of all lines before the second.
    What the last panel has of lines beyond the operand's is filled with zeros at the end.

    Parameters
    ----------
    lines : int
        Lines of a panel.
    chunk : ChunkLayout
        A chunk.
    words : int
        Words of a buffer.
    most : int
        Most chunks of a group.

    Members
    -------
    start : In(1)
        Write an operand. Only if not ``busy``.
    transposed : In(1)
        Groups come across. It is steady while ``busy``, as all that follows is.
    count : In(range(lines * words + 1))
        Lines of the operand, 1 or more.
    groups, chunks, size : In(range(words + 1)), In(range(most + 1)), In(range(words + 1))
        Groups of a line, chunks of a group, both 1 or more; words of a panel, the product of the two.
    i : In(stream of {chunk: chunk, last: 1})
        Chunks. ``last`` is not looked at. All are taken, one a cycle.
    write : Out(lines)
        A bit for each line whose buffer is written.
    address, data : Out(range(words)), Out(chunk)
        Where, and what.
    panels : Out(range(words + 1))
        Panels that are complete, from the first on; all ones once all of them are. Zero from the cycle after ``start``.
    busy : Out(1)
        An operand is being written.
    """

    def __init__(self, lines: int, chunk: ChunkLayout, words: int, most: int):
        self.lines, self.words = lines, words
        self.module_name = f"operand_writer_{lines}x{words}_{chunk.size}_c{most}"
        super().__init__(
            {
                "start": In(1),
                "transposed": In(1),
                "count": In(range(lines * words + 1)),
                "groups": In(range(words + 1)),
                "chunks": In(range(most + 1)),
                "size": In(range(words + 1)),
                "i": In(stream.Signature(data.StructLayout({"chunk": chunk, "last": 1}))),
                "write": Out(lines),
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
        line = Signal(range(self.lines))  # of its panel, that comes
        left = Signal.like(self.count)  # lines that are to come, this one included
        base = Signal(range(self.words))  # words of the panels before this one
        groups = Signal.like(self.groups)  # of the line that are to come, this one included
        chunks = Signal.like(self.chunks)  # of the group, likewise
        at = Signal(range(self.words))  # words of the panel before this one
        group_at = Signal(range(self.words))  # words of it before this group
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(writing),
            take.eq(writing & self.i.valid),
            self.busy.eq(writing | clearing),
            self.address.eq(base + at),
            self.data.eq(Mux(clearing, 0, self.i.payload.chunk.as_value())),
        ]
        here = Cat(line == n for n in range(self.lines))
        from_here = Cat(at_most(line, n) for n in range(self.lines))
        m.d.comb += self.write.eq(Mux(clearing, from_here, here & take.replicate(self.lines)))

        last_chunk = Signal()
        last_group = Signal()
        last_line = Signal()
        full = Signal()
        step = Signal(range(self.words + 1))  # a panel may be as long as the buffer
        m.d.comb += [
            last_chunk.eq(chunks == 1),
            last_group.eq(groups == 1),
            last_line.eq(left == 1),
            full.eq(line == self.lines - 1),
            step.eq(at + 1),
        ]
        with m.If(take):
            m.d.sync += [at.eq(step), chunks.eq(Mux(last_chunk, self.chunks, chunks - 1))]
            with m.If(last_chunk & (last_line | ~self.transposed)):
                m.d.sync += groups.eq(Mux(last_group, self.groups, groups - 1))
            with m.If(last_chunk & (last_group | self.transposed)):
                m.d.sync += [line.eq(line + 1), left.eq(left - 1), at.eq(group_at)]
                with m.If(full):
                    m.d.sync += [line.eq(0), base.eq(base + self.size)]
                    with m.If(~self.transposed):
                        m.d.sync += self.panels.eq(self.panels + 1)
                with m.If(last_line & self.transposed):  # back to the first one, for the next group
                    m.d.sync += [line.eq(0), left.eq(self.count), base.eq(0), at.eq(step), group_at.eq(step)]
            with m.If(last_chunk & last_group & last_line):
                m.d.sync += [writing.eq(0), clearing.eq(~full), line.eq(line + 1), base.eq(base), at.eq(0)]
                with m.If(full):
                    m.d.sync += self.panels.eq(-1)
        with m.If(clearing):
            m.d.sync += at.eq(step)
            with m.If(step == self.size):
                m.d.sync += [clearing.eq(0), self.panels.eq(-1)]
        with m.If(self.start):
            first = (line, base, at, group_at, self.panels)
            m.d.sync += [writing.eq(1), *(signal.eq(0) for signal in first)]
            m.d.sync += [left.eq(self.count), groups.eq(self.groups), chunks.eq(self.chunks)]
        return m
