"""The array's exit: half words become rows of results on a stream."""

from amaranth.hdl import Cat
from amaranth.lib.wiring import In, Out

from lowtide.array.column import Column
from lowtide.array.result_credits import ResultCredits
from lowtide.netlist import Structure

__all__ = ["Collector"]


class Collector(Structure):
    """Puts the half words of a tile together and offers its rows as a stream.

    The array never stops, so every row that will come must have a place: a tile may end only while there is
    ``room``, which its rows are then promised. From ``start`` on, a low and a high half word of each row come in turn
    to column 0, and to each further column a cycle later. So column 0 has a row first and the last column has it last:
    the queues that hold results until they are accepted also straighten the wave in which they come.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    width : int
        Bits of a result.
    capacity : int
        Rows that can be promised and not yet accepted, at least ``rows``.

    Members
    -------
    room : Out(1)
        There is a place for every row of a further tile.
    promise : In(1)
        A tile ends, and its rows will come. Only while there is room.
    start : In(1)
        The low half word of row 0 is at column 0.
    halves : In(columns * half)
        A half word for each column, a cycle later than that for the column before. ``half`` is half of ``width``,
        rounded up.
    valid, ready : Out(1), In(1)
        Handshake of the rows.
    data : Out(columns * width)
        A row of results, row 0 first.
    last : Out(1)
        It is the last row of its tile.

    Attributes
    ----------
    latency : int
        Cycles from ``start`` to a valid row 0.
    """

    def __init__(self, rows: int, columns: int, width: int, capacity: int):
        self.rows, self.columns, self.width, self.capacity = rows, columns, width, capacity
        self.half = (width + 1) // 2
        self.latency = columns - 1 + Column.latency
        self.module_name = f"collector_{rows}x{columns}_{width}_{capacity}"
        super().__init__(
            {
                "room": Out(1),
                "promise": In(1),
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
        ledger = place(
            "ledger",
            ResultCredits(self.rows, self.capacity),
            promise=self.promise,
            start=self.start,
            valid=columns[-1].valid,
            ready=self.ready,
        )
        high = ledger.high
        for n, column in enumerate(columns):
            half = self.halves.word_select(n, self.half)
            high = place(f"column_{n}", column, half=half, high_i=high, accept=ledger.accept).high_o
        return {
            "room": ledger.room,
            "valid": columns[-1].valid,
            "data": Cat(column.data for column in columns),
            "last": ledger.last,
        }
