"""The array's exit: half words become rows of results on a stream."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lowtide.hierarchy import Unit

__all__ = ["Collector"]


class Collector(Unit):
    """Puts the half words of a tile together and offers its rows as a stream.

    The array never stops, so every row that will come must have a place: a tile may end only while there is
    ``room``, which its rows are then promised. From ``start`` on, a low and a high half word of each row come in turn.

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
        The low half words of row 0 are here.
    halves : In(columns * half)
        A half word for each column, ``half`` being half of ``width``, rounded up.
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

    latency = 3

    def __init__(self, rows: int, columns: int, width: int, capacity: int):
        self.rows, self.columns, self.width, self.capacity = rows, columns, width, capacity
        self.half = (width + 1) // 2
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

    def elaborate(self, platform):
        m = Module()
        promised = Signal(range(self.capacity + 1))
        m.d.comb += self.room.eq(promised <= self.capacity - self.rows)
        m.d.sync += promised.eq(promised + Mux(self.promise, self.rows, 0) - (self.valid & self.ready))

        low = Signal(self.columns * self.half, reset_less=True)
        low_now = Signal()  # this cycle brings the low halves of a row
        high_now = Signal()  # this cycle brings its high halves
        more = Signal()  # further rows of this tile are to come
        row = Signal(range(self.rows))
        last = Signal()
        m.d.comb += [low_now.eq(~high_now & (self.start | more)), last.eq(row == self.rows - 1)]
        m.d.sync += [high_now.eq(low_now), low.eq(self.halves)]
        with m.If(high_now):
            m.d.sync += [row.eq(Mux(last, 0, row + 1)), more.eq(~last)]

        # One more than is promised, for it is not full only while its memory is not, the register behind that aside.
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=self.columns * self.width + 1, depth=self.capacity + 1)
        m.d.comb += [
            fifo.w_en.eq(high_now),
            fifo.w_data.eq(Cat(self._words(low), last)),
            fifo.r_en.eq(self.ready),
            self.valid.eq(fifo.r_rdy),
            Cat(self.data, self.last).eq(fifo.r_data),
        ]
        return m

    def _words(self, low):
        """Whole words, column 0 first."""
        for column in range(self.columns):
            bits = slice(column * self.half, (column + 1) * self.half)
            yield Cat(low[bits], self.halves[bits])[: self.width]
