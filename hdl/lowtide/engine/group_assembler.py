"""Group assembler: reorders the results of tiles into groups along the rows of a product."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["GroupAssembler"]


class GroupAssembler(Unit):
    """Group assembler: collects the results of tiles, and sends groups of ``lanes`` numbers along N.

    The tiles arrive in row order. For each row of tiles, the unit sends group 0 of each row, then group 1 of each row,
    and so on. The last group of a row is padded with +0. Results beyond M and N are dropped.

    A memory stores up to `slots` tiles, enough for the tiles of two groups. It accepts and sends a number per cycle: a
    group is sent while the tiles of the next group arrive.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    numbers : int
        Numbers per beat of results, a divisor of ``columns``.
    lanes : int
        Numbers per group, a power of two.
    vectors : int
        Most rows of a product.
    length : int
        Most columns of a product.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of a product. Only while ``busy`` is low.
    vectors : In(range(vectors + 1))
        Rows of the product; steady from ``start`` until ``busy`` is low, as ``length``.
    length : In(range(length + 1))
        Columns of the product.
    i : In(stream of fp32_beat(numbers))
        Results, column 0 of a row first. ``last`` is ignored.
    o : Out(stream of {"number": FP32, "group": 1, "last": 1})
        Numbers of groups. ``group`` is high with the last number of a group, ``last`` with the last number of the
        groups of a row of tiles that have one place along N.
    busy : Out(1)
        High from the cycle after ``start`` until the last number is accepted on ``o``.

    Attributes
    ----------
    slots : int
        Tiles that the memory stores, a power of two.
    """

    def __init__(self, rows: int, columns: int, numbers: int, lanes: int, vectors: int, length: int):
        self.rows, self.columns, self.numbers, self.lanes = rows, columns, numbers, lanes
        self.slots = 1 << (2 * -(-lanes // columns) - 1).bit_length()
        self.module_name = f"group_assembler_{rows}x{columns}_n{numbers}_l{lanes}_v{vectors}_k{length}"
        number = data.StructLayout({"number": FP32, "group": 1, "last": 1})
        super().__init__(
            {
                "start": In(1),
                "vectors": In(range(vectors + 1)),
                "length": In(range(length + 1)),
                "i": In(stream.Signature(fp32_beat(numbers))),
                "o": Out(stream.Signature(number)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        stored = Signal(range(self.slots + 1))  # complete tiles
        completes = Signal()
        frees = Signal()
        m.d.sync += stored.eq(stored + completes - frees)
        columns, rows = (self.columns - 1).bit_length(), (self.rows - 1).bit_length()
        slots = (self.slots - 1).bit_length()
        m.submodules.numbers = memory = Memory(shape=FP32.size, depth=self.rows << columns + slots, init=[])

        # A beat waits in a shift register, while the stages before it may advance.
        words = Signal(FP32.size * self.numbers, reset_less=True)
        left = Signal(range(self.numbers + 1))
        room = Signal()
        write = memory.write_port()
        m.d.comb += self.i.ready.eq((left == 0) | ((left == 1) & room))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [words.eq(Cat(self.i.payload.number)), left.eq(self.numbers)]
        with m.Elif(write.en):
            m.d.sync += [words.eq(words >> FP32.size), left.eq(left - 1)]

        # Writing: a tile, row by row, into its slot.
        column, row, slot = Signal(columns), Signal(rows), Signal(slots)
        row_ends = Signal()
        m.d.comb += [
            room.eq(stored != self.slots),
            write.en.eq((left != 0) & room),
            write.addr.eq(Cat(column, slot, row)),
            write.data.eq(words[: FP32.size]),
            row_ends.eq(column == self.columns - 1),
            completes.eq(write.en & row_ends & (row == self.rows - 1)),
        ]
        with m.If(write.en):
            m.d.sync += column.eq(Mux(row_ends, 0, column + 1))
            with m.If(row_ends):
                m.d.sync += row.eq(Mux(completes, 0, row + 1))
            with m.If(completes):
                m.d.sync += slot.eq(slot + 1)
        self._send(m, memory, stored, frees)
        return m

    def _send(self, m: Module, memory: Memory, stored: Signal, frees: Signal) -> None:
        """Read the groups of a product, once their tiles are stored, and free the tiles."""
        columns, rows = (self.columns - 1).bit_length(), (self.rows - 1).bit_length()
        slots = (self.slots - 1).bit_length()
        read = memory.read_port()
        active = Signal()
        lane, row = Signal(range(self.lanes)), Signal(rows)
        place_layout = data.StructLayout({"column": columns, "slot": slots, "crossed": slots + 1})
        first = Signal(place_layout)  # of the group; no tile is crossed
        at, after = Signal(place_layout), Signal(place_layout)
        left = Signal.like(self.length)  # columns from this group on
        rows_left = Signal.like(self.vectors)  # rows from this row of tiles on
        exists = Signal()
        moves = Signal()
        advances = Signal()
        tile_ends = Signal()
        group_ends = Signal()
        last_row = Signal()
        last_group = Signal()
        jumps = Signal()  # past the columns of a tile that are beyond N
        m.d.comb += [
            exists.eq(lane < left),
            moves.eq(~self.o.valid | self.o.ready),
            advances.eq(active & moves & (~exists | (stored > at.crossed))),
            tile_ends.eq(exists & (at.column == self.columns - 1)),
            group_ends.eq(lane == self.lanes - 1),
            last_row.eq((row == self.rows - 1) | (at_most(rows_left, self.rows) & (row + 1 == rows_left))),
            last_group.eq(at_most(left, self.lanes)),
            # The tiles of a group are free once its last row has passed them.
            after.crossed.eq(at.crossed + (tile_ends & ~last_row)),
            after.slot.eq(at.slot + tile_ends),
            after.column.eq(Mux(tile_ends, 0, at.column + exists)),
            jumps.eq(group_ends & last_row & last_group & (after.column != 0)),
            frees.eq(advances & ((tile_ends & last_row) | jumps)),
            read.en.eq(moves),
            read.addr.eq(Cat(at.column, at.slot, row)),
        ]
        with m.If(advances):
            m.d.sync += [lane.eq(lane + 1), at.eq(after)]
            with m.If(group_ends & ~last_row):
                m.d.sync += [row.eq(row + 1), at.eq(first)]
            with m.If(group_ends & last_row):
                m.d.sync += [row.eq(0), left.eq(left - self.lanes)]
                for position in (at, first):
                    m.d.sync += [
                        position.column.eq(Mux(jumps, 0, after.column)),
                        position.slot.eq(after.slot + jumps),
                        position.crossed.eq(0),
                    ]
                with m.If(last_group):
                    m.d.sync += [left.eq(self.length), rows_left.eq(rows_left - self.rows)]
                    m.d.sync += active.eq(~at_most(rows_left, self.rows))
        with m.If(self.start):
            m.d.sync += [active.eq(1), left.eq(self.length), rows_left.eq(self.vectors)]

        full, padding = Signal(), Signal()
        payload = self.o.payload
        with m.If(moves):
            m.d.sync += [
                full.eq(advances),
                padding.eq(~exists),
                payload.group.eq(group_ends),
                payload.last.eq(group_ends & last_row),
            ]
        m.d.comb += [
            self.o.valid.eq(full),
            payload.number.eq(Mux(padding, 0, read.data)),
            self.busy.eq(active | full),
        ]
