"""Differentiators: subtract the previous running sums from the running sums that leave a grid."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure, Unit

__all__ = ["Differentiator", "Differentiators", "DrainPosition"]


class Differentiators(Structure):
    """Differentiators: turn the running sums of a grid's elements into the sums of single tiles.

    ``tile = running - previous``, modulo ``2**width``, where ``previous`` is the running sum that the element sent
    before. An element never clears its sum between tiles: the sum wraps, and every difference that fits into ``width``
    bits is exact. So one subtraction per column takes the place of a clear in every element. Source: the integrators
    and combs of Hogenauer, An economical class of digital filters for decimation and interpolation, 1981.

    The differences leave in the cycle in which their half words arrive.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    half : int
        Bits of a half word.
    block : int
        Columns per block; the last block may have fewer.

    Members
    -------
    start : In(1)
        Pulses for one cycle, two cycles before the low half word of row 0 is at column 0. Pulses are at least
        ``2 * rows`` cycles apart.
    i : In(columns * half)
        Half words, one per column; column ``c`` is ``c // block`` cycles late. From two cycles after ``start`` on, the
        low and the high half word of each row arrive alternately.
    o : Out(columns * half)
        Half words of the differences.
    """

    def __init__(self, rows: int, columns: int, half: int, block: int = 1):
        self.rows, self.columns, self.half, self.block = rows, columns, half, block
        blocks = f"_by_{block}" if block > 1 else ""
        self.module_name = f"differentiators_{rows}x{columns}{blocks}_{half}"
        super().__init__({"start": In(1), "i": In(columns * half), "o": Out(columns * half)})

    def wire(self, place):
        now = place("drain_position", DrainPosition(self.rows), start=self.start)
        position, drains = now.position, now.drains
        differences = []
        for n in range(self.columns):
            column = Differentiator(self.rows, self.half)
            i = self.i.word_select(n, self.half)
            place(f"column_{n}", column, i=i, position_i=position, drains_i=drains)
            if (n + 1) % self.block == 0:
                position, drains = column.position_o, column.drains_o
            differences.append(column.o)
        return {"o": Cat(differences)}


class DrainPosition(Unit):
    """Drain position: counts the half words of a column of results.

    Parameters
    ----------
    rows : int
        Rows of a tile, each of two half words.

    Members
    -------
    start : In(1)
        Pulses for one cycle, two cycles before half word 0 arrives.
    position : Out(range(2 * rows))
        Number of the half word that arrives in the next cycle, or the last number.
    drains : Out(1)
        High when a half word arrives in the next cycle.
    """

    def __init__(self, rows: int):
        self.rows = rows
        self.module_name = f"drain_position_{rows}"
        super().__init__({"start": In(1), "position": Out(range(2 * rows)), "drains": Out(1)})

    def elaborate(self, platform):
        m = Module()
        last = 2 * self.rows - 1
        position = Signal(range(2 * self.rows), init=last)
        drains = Signal()
        with m.If(self.start):
            m.d.sync += [position.eq(0), drains.eq(1)]
        with m.Elif(position != last):
            m.d.sync += position.eq(position + 1)
        with m.Else():
            m.d.sync += drains.eq(0)
        m.d.comb += [self.position.eq(position), self.drains.eq(drains)]
        return m


class Differentiator(Unit):
    """Differentiator: subtracts from the running sums of one column the sums that it received before.

    A memory stores the last half word of each position. It is read one cycle before its half word arrives, and written
    in the next cycle. A borrow passes from a low half word to its high half word.

    Parameters
    ----------
    rows : int
        Rows of a tile.
    half : int
        Bits of a half word.

    Members
    -------
    position_i : In(range(2 * rows))
        Number of the half word that arrives in the next cycle; the last number while none arrives.
    drains_i : In(1)
        High when a half word arrives in the next cycle.
    position_o, drains_o : Out(range(2 * rows)), Out(1)
        ``position_i`` and ``drains_i`` delayed by one cycle, for the next block of columns.
    i : In(half)
        Half word: first a low one, then the high one of the same row.
    o : Out(half)
        Half word of the difference, in the cycle of ``i``.
    """

    def __init__(self, rows: int, half: int):
        self.rows, self.half = rows, half
        self.module_name = f"differentiator_{rows}x{half}"
        super().__init__(
            {
                "position_i": In(range(2 * rows)),
                "drains_i": In(1),
                "position_o": Out(range(2 * rows)),
                "drains_o": Out(1),
                "i": In(half),
                "o": Out(half),
            }
        )

    def elaborate(self, platform):
        m = Module()
        position = Signal(range(2 * self.rows), init=2 * self.rows - 1)
        drains = Signal()
        m.d.sync += [position.eq(self.position_i), drains.eq(self.drains_i)]
        m.submodules.words = words = Memory(shape=self.half, depth=2 * self.rows, init=[])
        write, previous = words.write_port(), words.read_port()
        borrow = Signal()
        difference = Signal(self.half + 2)
        m.d.comb += [
            previous.addr.eq(self.position_i),
            write.addr.eq(position),
            write.data.eq(self.i),
            write.en.eq(drains),
            # The lowest bit subtracts the borrow, so that one adder suffices.
            difference.eq(Cat(Const(0, 1), self.i) - Cat(borrow, previous.data)),
            self.o.eq(difference[1:-1]),
            self.position_o.eq(position),
            self.drains_o.eq(drains),
        ]
        m.d.sync += borrow.eq(Mux(position[0], 0, difference[-1]))
        return m
