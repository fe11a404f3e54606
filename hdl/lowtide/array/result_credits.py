"""Who keeps count of the rows of results: those promised, those coming, those leaving."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["ResultCredits"]


class ResultCredits(Unit):
    """Counts rows of results: promised a place and not yet accepted, coming as half words, offered.

    Parameters
    ----------
    rows : int
        Rows of a tile.
    capacity : int
        Rows that can be promised and not yet accepted, at least ``rows``.

    Members
    -------
    room : Out(1)
        There is a place for every row of a further tile.
    promise : In(1)
        A tile ends, and its rows will come. Only while there is room.
    start : In(1)
        The low half word of row 0 is at column 0. From then on a low and a high half word of each row come in turn.
    high : Out(1)
        The high half word of a row is at column 0.
    valid, ready : In(1), In(1)
        A row is offered; it would be accepted.
    accept : Out(1)
        Both.
    last : Out(1)
        It is the last of its tile.
    """

    def __init__(self, rows: int, capacity: int):
        self.rows, self.capacity = rows, capacity
        self.module_name = f"result_credits_{rows}_{capacity}"
        super().__init__(
            {
                "room": Out(1),
                "promise": In(1),
                "start": In(1),
                "high": Out(1),
                "valid": In(1),
                "ready": In(1),
                "accept": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        promised = Signal(range(self.capacity + 1))
        m.d.comb += [self.room.eq(promised <= self.capacity - self.rows), self.accept.eq(self.valid & self.ready)]
        m.d.sync += promised.eq(promised + Mux(self.promise, self.rows, 0) - self.accept)

        high = Signal()  # this cycle brings the high half of a row
        coming = Signal(range(self.rows))  # row whose halves come
        more = Signal()  # further rows of its tile are to come
        last = Signal()
        m.d.comb += [self.high.eq(high), last.eq(coming == self.rows - 1)]
        m.d.sync += high.eq(~high & (self.start | more))
        with m.If(high):
            m.d.sync += [coming.eq(Mux(last, 0, coming + 1)), more.eq(~last)]

        leaving = Signal(range(self.rows))  # row that is offered
        m.d.comb += self.last.eq(leaving == self.rows - 1)
        with m.If(self.accept):
            m.d.sync += leaving.eq(Mux(self.last, 0, leaving + 1))
        return m
