"""The array's exit: half words become rows of results on a stream."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.array.queue import Queue
from lowtide.hierarchy import Unit, place

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

    latency = 1 + Queue.latency

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
        coming = Signal(range(self.rows))  # row whose halves come
        more = Signal()  # further rows of its tile are to come
        last = Signal()
        m.d.comb += [low_now.eq(~high_now & (self.start | more)), last.eq(coming == self.rows - 1)]
        m.d.sync += [high_now.eq(low_now), low.eq(self.halves)]
        with m.If(high_now):
            m.d.sync += [coming.eq(Mux(last, 0, coming + 1)), more.eq(~last)]

        # A queue a column: all alike and in step, so one is emitted, and the others follow its lead.
        half = self.half
        queues = [
            place(
                m,
                platform,
                f"queue_{column}",
                Queue(self.width, self.capacity),
                i_valid=high_now,
                i_data=Cat(low.word_select(column, half), self.halves.word_select(column, half))[: self.width],
                o_ready=self.ready,
            )
            for column in range(self.columns)
        ]
        m.d.comb += [self.valid.eq(queues[0].o_valid), self.data.eq(Cat(queue.o_data for queue in queues))]
        leaving = Signal(range(self.rows))  # row that is offered
        m.d.comb += self.last.eq(leaving == self.rows - 1)
        with m.If(self.valid & self.ready):
            m.d.sync += leaving.eq(Mux(self.last, 0, leaving + 1))
        return m
