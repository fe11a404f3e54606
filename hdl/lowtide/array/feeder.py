"""Feeder: joins the two operand streams and separates tiles."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Feeder"]


class Feeder(Unit):
    """Feeder: accepts a beat from both operand streams at once, and spaces tiles so that each can drain.

    The last beat of a tile is a restart: the elements add its products and send their sums. The last beat waits until
    the results of the tile fit into the collector. Restarts are at least ``spacing`` cycles apart, because a column
    needs that time to drain. In cycles without a beat the array receives zeros, which leave every sum unchanged.
    Restarts without beats after a reset clear the elements.

    Parameters
    ----------
    spacing : int
        Minimum cycles between restarts.
    restarts : int
        Number of restarts after a reset.

    Members
    -------
    room : In(1)
        High while the results of one more tile fit. No tile ends otherwise.
    a_valid, b_valid : In(1)
        High while a beat is offered on the stream.
    a_last, b_last : In(1)
        High with the last beat of a tile.
    a_ready, b_ready : Out(1)
        High when the beat is accepted, always from both streams at once.
    idle : Out(1)
        High when no beat is accepted.
    restart : Out(1)
        High with a restart.
    finished : Out(1)
        High when the last beat of a tile is accepted, which is a restart.
    misaligned : Out(1)
        High after ``last`` arrived on one stream alone, until reset. Such a tile ends with ``a_last``.
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
        more = Signal(range(self.restarts + 1), init=self.restarts)  # restarts after reset
        hold_off = Signal(range(self.spacing))  # cycles until a restart is allowed
        spaced = Signal(
            init=1
        )  # a restart is allowed: `hold_off` is 0, in a register because the whole array waits for it
        apart = Signal()
        accepts = Signal()
        take = Signal()
        m.d.comb += [
            apart.eq(spaced & self.room),
            accepts.eq(~more.any() & (apart | ~self.a_last)),
            self.a_ready.eq(accepts & self.b_valid),
            self.b_ready.eq(accepts & self.a_valid),
            take.eq(accepts & self.a_valid & self.b_valid),
            self.idle.eq(~take),
            self.finished.eq(take & self.a_last),
            self.restart.eq(self.finished | (more.any() & apart)),
        ]
        with m.If(self.restart):
            m.d.sync += [more.eq(more - more.any()), hold_off.eq(self.spacing - 1), spaced.eq(self.spacing == 1)]
        with m.Elif(~spaced):
            m.d.sync += [hold_off.eq(hold_off - 1), spaced.eq(hold_off == 1)]
        with m.If(take & (self.a_last != self.b_last)):
            m.d.sync += self.misaligned.eq(1)
        return m
