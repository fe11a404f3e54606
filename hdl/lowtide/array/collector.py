"""Collector: assembles half words into rows of results."""

from amaranth.hdl import Cat
from amaranth.lib.wiring import In, Out

from lowtide.array.column import Column
from lowtide.array.result_credits import ResultCredits
from lowtide.netlist import Structure

__all__ = ["Collector"]


class Collector(Structure):
    """Collector: assembles the half words of a tile and sends its rows as a stream.

    The array never stalls, so every row needs a reserved queue entry before it arrives. A tile may end only while
    ``room`` is high, and ``reserve`` then reserves an entry for each of its rows. From ``start`` on, the low and the
    high half word of each row arrive alternately at the first block of columns, and at each further block one cycle
    later. The first block completes a row first, and the last block completes it last. So the queues that store results
    until they are accepted also remove the skew between columns.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    width : int
        Width of a result in bits.
    capacity : int
        Maximum number of rows reserved but not yet accepted, at least ``rows``.
    block : int
        Columns per block; the last block may have fewer.

    Members
    -------
    room : Out(1)
        High while all rows of one more tile fit.
    reserve : In(1)
        Pulses for one cycle when a tile ends, to reserve entries for its rows. Only while ``room`` is high.
    start : In(1)
        Pulses for one cycle when the low half word of row 0 is at column 0.
    halves : In(columns * half)
        Half words, one per column; column ``c`` is ``c // block`` cycles late. ``half`` is half of ``width``, rounded
        up.
    valid : Out(1)
        High while ``data`` and ``last`` are valid.
    ready : In(1)
        High when the receiver accepts a row.
    data : Out(columns * width)
        Row of results, column 0 in the lowest bits; row 0 is sent first.
    last : Out(1)
        High with the last row of a tile.

    Attributes
    ----------
    latency : int
        Cycles from ``start`` to a valid row 0.
    """

    def __init__(self, rows: int, columns: int, width: int, capacity: int, block: int = 1):
        self.rows, self.columns, self.width, self.capacity = rows, columns, width, capacity
        self.block = block
        self.half = (width + 1) // 2
        self.latency = (columns - 1) // block + Column.latency
        blocks = f"_by_{block}" if block > 1 else ""
        self.module_name = f"collector_{rows}x{columns}{blocks}_{width}_{capacity}"
        super().__init__(
            {
                "room": Out(1),
                "reserve": In(1),
                "start": In(1),
                "halves": In(columns * self.half),
                "valid": Out(1),
                "ready": In(1),
                "data": Out(columns * width),
                "last": Out(1),
            }
        )

    def wire(self, place):
        columns = [Column(self.width, self.capacity) for _ in range(self.columns)]
        credits = place(
            "credits",
            ResultCredits(self.rows, self.capacity),
            reserve=self.reserve,
            start=self.start,
            valid=columns[-1].valid,
            ready=self.ready,
        )
        high = credits.high
        for n, column in enumerate(columns):
            half = self.halves.word_select(n, self.half)
            place(f"column_{n}", column, half=half, high_i=high, accept=credits.accept)
            if (n + 1) % self.block == 0:
                high = column.high_o
        return {
            "room": credits.room,
            "valid": columns[-1].valid,
            "data": Cat(column.data for column in columns),
            "last": credits.last,
        }
