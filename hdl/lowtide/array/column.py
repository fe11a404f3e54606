"""Column of results: joins half words and queues the results of one column."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.stream.buffers import Fifo

__all__ = ["Column"]


class Column(Unit):
    """Result column: joins the half words of one column and queues its results.

    Parameters
    ----------
    width : int
        Width of a result in bits.
    capacity : int
        Number of results that always fit.

    Members
    -------
    half : In((width + 1) // 2)
        Half word.
    high_i : In(1)
        High when ``half`` is a high half word, whose low half word arrived one cycle before.
    high_o : Out(1)
        ``high_i`` delayed by one cycle, for the next block of columns.
    valid : Out(1)
        High while ``data`` is valid.
    accept : In(1)
        Removes the oldest result. Only while ``valid`` is high.
    data : Out(width)
        Oldest result.

    Attributes
    ----------
    latency : int
        Cycles from a low half word to the valid result when the queue is empty.
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
        high = Signal()  # write enable of the next queue, so a reset must clear it
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
