"""The array's entry: beats of two streams in step, tiles kept apart."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Feeder"]


class Feeder(Unit):
    """Takes a beat from both operand streams at once, and keeps tiles far enough apart to drain.

    Behind the last beat of a tile goes a restart beat, which has no operands: the elements hand over their sums and
    start anew. It waits for the results to have a place to go, and restarts are at least ``spacing`` cycles apart,
    since that is how long the results of a column take to leave. In cycles with neither, zeros go on, which add
    nothing. A first restart, after reset, clears what the elements held before.

    Parameters
    ----------
    spacing : int
        Least number of cycles from one restart to the next.
    restarts : int
        Restarts after reset. Of several, the first too keeps its distance, from one that may have been before reset.

    Members
    -------
    room : In(1)
        The results of a tile have a place to go. No tile ends without.
    a_valid, b_valid, a_last, b_last : In(1)
        A beat is offered on either side; it ends a tile.
    a_ready, b_ready : Out(1)
        It is taken.
    idle : Out(1)
        No beat is taken.
    restart : Out(1)
        This is a restart beat.
    finished : Out(1)
        It ends a tile, rather than reset.
    misaligned : Out(1)
        High from when ``last`` came on one side alone, until reset. Such a tile ends where A said.
    """

    def __init__(self, spacing: int, restarts: int = 1):
        self.spacing, self.restarts = spacing, restarts
        self.module_name = f"feeder_{spacing}" + (f"_{restarts}" if restarts > 1 else "")
        super().__init__(
            {
                "room": In(1),
                "a_valid": In(1),
                "b_valid": In(1),
                "a_last": In(1),
                "b_last": In(1),
                "a_ready": Out(1),
                "b_ready": Out(1),
                "idle": Out(1),
                "restart": Out(1),
                "finished": Out(1),
                "misaligned": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        closing = Signal(init=1)  # a tile is complete, and its restart beat has yet to go
        started = Signal()  # there was a tile, so a restart is not that of reset
        more = Signal(range(self.restarts), init=self.restarts - 1)  # restarts after reset, but the last
        hold_off = Signal(range(self.spacing), init=self.spacing - 1 if self.restarts > 1 else 0)  # none may go so long
        take = Signal()
        m.d.comb += [
            self.a_ready.eq(~closing & self.b_valid),
            self.b_ready.eq(~closing & self.a_valid),
            take.eq(~closing & self.a_valid & self.b_valid),
            self.idle.eq(~take),
            self.restart.eq(closing & ~hold_off.any() & self.room),
            self.finished.eq(self.restart & started),
        ]
        with m.If(self.restart):
            m.d.sync += [closing.eq(more.any()), more.eq(more - more.any()), hold_off.eq(self.spacing - 1)]
        with m.Elif(hold_off.any()):
            m.d.sync += hold_off.eq(hold_off - 1)
        with m.If(take):
            m.d.sync += [started.eq(1), closing.eq(self.a_last)]
            with m.If(self.a_last != self.b_last):
                m.d.sync += self.misaligned.eq(1)
        return m
