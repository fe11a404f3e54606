"""One column's results: half words become words, which wait to be accepted."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.array.queue import Queue
from lowtide.hierarchy import Unit, place

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
    high : In(1)
        It is a high one, and that of the cycle before was the low one.
    valid, ready : Out(1), In(1)
        Handshake of the results.
    data : Out(width)
        The oldest result.

    Attributes
    ----------
    latency : int
        Cycles from a low half word to the result offered, if none is queued.
    """

    latency = 1 + Queue.latency

    def __init__(self, width: int, capacity: int):
        self.width, self.capacity = width, capacity
        self.module_name = f"column_{width}_{capacity}"
        super().__init__(
            {"half": In((width + 1) // 2), "high": In(1), "valid": Out(1), "ready": In(1), "data": Out(width)}
        )

    def elaborate(self, platform):
        m = Module()
        low = Signal.like(self.half, reset_less=True)
        m.d.sync += low.eq(self.half)
        queue = place(
            m,
            platform,
            "queue",
            Queue(self.width, self.capacity),
            i_valid=self.high,
            i_data=Cat(low, self.half)[: self.width],
            o_ready=self.ready,
        )
        m.d.comb += [self.valid.eq(queue.o_valid), self.data.eq(queue.o_data)]
        return m
