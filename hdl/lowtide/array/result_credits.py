"""Credit counter for result rows: reserved, arriving, leaving."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["ResultCredits"]


class ResultCredits(Unit):
    """Credit counter: counts result rows that are reserved, that arrive as half words, and that leave.

    Parameters
    ----------
    rows : int
        Rows of a tile.
    capacity : int
        Maximum number of rows reserved but not yet accepted, at least ``rows``.

    Members
    -------
    room : Out(1)
        High while all rows of one more tile fit.
    reserve : In(1)
        Pulses for one cycle when a tile ends, to reserve entries for its rows. Only while ``room`` is high.
    start : In(1)
        Pulses for one cycle when the low half word of row 0 is at column 0. From then on the low and the high half
        word of each row arrive alternately.
    high : Out(1)
        High when the high half word of a row is at column 0.
    valid : In(1)
        High while a row is offered.
    ready : In(1)
        High when the receiver accepts a row.
    accept : Out(1)
        High when a row is transferred: ``valid & ready``.
    last : Out(1)
        High with the last row of a tile.
    """

    def __init__(self, rows: int, capacity: int):
        self.rows, self.capacity = rows, capacity
        self.module_name = f"result_credits_{rows}_{capacity}"
        super().__init__(
            {
                "room": Out(1),
                "reserve": In(1),
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
        reserved = Signal(range(self.capacity + 1))
        m.d.comb += [self.room.eq(reserved <= self.capacity - self.rows), self.accept.eq(self.valid & self.ready)]
        m.d.sync += reserved.eq(reserved + Mux(self.reserve, self.rows, 0) - self.accept)

        high = Signal()  # the high half word of a row arrives in this cycle
        arriving = Signal(range(self.rows))  # row whose half words arrive
        more = Signal()  # further rows of the tile will arrive
        last = Signal()
        m.d.comb += [self.high.eq(high), last.eq(arriving == self.rows - 1)]
        m.d.sync += high.eq(~high & (self.start | more))
        with m.If(high):
            m.d.sync += [arriving.eq(Mux(last, 0, arriving + 1)), more.eq(~last)]

        leaving = Signal(range(self.rows))  # row that is offered next
        m.d.comb += self.last.eq(leaving == self.rows - 1)
        with m.If(self.accept):
            m.d.sync += leaving.eq(Mux(self.last, 0, leaving + 1))
        return m
