"""The array's exit: half words become rows of results on a stream."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.hierarchy import Unit

__all__ = ["Collector"]


class Collector(Unit):
    """Puts the half words of a tile together and offers its rows as a stream.

    From ``start`` on, a low and a high half word of each row come in turn. A row is held until it is accepted;
    when the next one would have no place, ``en`` falls in the cycle before it would come, and the whole array
    waits. So ``en`` is a register, and no path leads from the result's ready through the array.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    width : int
        Bits of a result.

    Members
    -------
    en : Out(1)
        The array may move. Registered.
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
    """

    def __init__(self, rows: int, columns: int, width: int):
        self.rows, self.columns, self.width = rows, columns, width
        self.half = (width + 1) // 2
        self.module_name = f"collector_{rows}x{columns}_{width}"
        super().__init__(
            {
                "en": Out(1, init=1),
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
        low = Signal(self.columns * self.half, reset_less=True)
        row = Signal(range(self.rows))
        last_row = Signal()
        more = Signal()  # further rows of this tile are to come
        low_now = Signal()  # this cycle brings the low halves of a row
        high_now = Signal()  # this cycle brings its high halves
        high_next = Signal()
        occupied = Signal()  # the output keeps its row into the next cycle

        m.d.comb += [
            last_row.eq(row == self.rows - 1),
            low_now.eq(~high_now & (self.start | more)),
            high_next.eq(Mux(self.en, low_now, high_now)),
            occupied.eq(self.valid & ~self.ready),
        ]
        m.d.sync += [
            high_now.eq(high_next),
            self.valid.eq(occupied),
            self.en.eq(~(high_next & occupied)),
        ]
        with m.If(self.en & low_now):
            m.d.sync += low.eq(self.halves)
        with m.If(self.en & high_now):
            m.d.sync += [
                self.valid.eq(1),
                self.last.eq(last_row),
                self.data.eq(Cat(self._words(low))),
                row.eq(Mux(last_row, 0, row + 1)),
                more.eq(~last_row),
            ]
        return m

    def _words(self, low):
        """Whole words, column 0 first."""
        for column in range(self.columns):
            bits = slice(column * self.half, (column + 1) * self.half)
            yield Cat(low[bits], self.halves[bits])[: self.width]
