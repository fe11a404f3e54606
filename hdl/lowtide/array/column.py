"""One column's results: half words become words, which wait to be accepted."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.stream.fifo import Fifo

__all__ = ["Column"]


class Column(Unit):
    """Puts the half words of a column together, and queues the results.

    Parameters
    ----------
    width : int
        Bits of a result.
    capacity : int
        Results that it holds for certain.

    Members
    -------
    half : In((width + 1) // 2)
        A half word.
    high_i, high_o : In(1), Out(1)
        It is a high one, and that of the cycle before was the low one; the same a cycle later, for the next column.
    valid, accept : Out(1), In(1)
        A result is offered; it is accepted, which it can only be if it is offered.
    data : Out(width)
        The oldest result.

    Attributes
    ----------
    latency : int
        Cycles from a low half word to the result offered, if none is queued.
    """

    latency = 1 + Fifo.latency

    def __init__(self, width: int, capacity: int):
        self.width, self.capacity = width, capacity
        self.module_name = f"column_{width}_{capacity}"
        super().__init__(
            {
                "half": In((width + 1) // 2),
                "high_i": In(1),
                "high_o": Out(1),
                "valid": Out(1),
                "accept": In(1),
                "data": Out(width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        low = Signal.like(self.half, reset_less=True)
        high = Signal()  # it tells a queue to write, so a reset must stop it on its way
        m.d.sync += [low.eq(self.half), high.eq(self.high_i)]
        queue = place(
            m,
            platform,
            "queue",
            Fifo(self.width, self.capacity),
            i_valid=self.high_i,
            i_data=Cat(low, self.half)[: self.width],
            o_ready=self.accept,
        )
        m.d.comb += [self.high_o.eq(high), self.valid.eq(queue.o_valid), self.data.eq(queue.o_data)]
        return m
