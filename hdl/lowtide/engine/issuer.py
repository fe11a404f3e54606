"""Issuer: beats out of the buffers into the array, while results have a place."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Issuer"]


class Issuer(Unit):
    """Goes with the words that buffers read: whether there are any, and whether their tile ends.

    Members
    -------
    i_valid, i_last, i_ready : In(1), In(1), Out(1)
        Addresses of a beat, and whether its tile ends; they are taken, and the buffers read.
    room : In(1)
        Another tile may end.
    tile : Out(1)
        A tile ends with the addresses that are taken.
    move : Out(1)
        The buffers' words change.
    o_valid, o_last, o_ready : Out(1), Out(1), In(1)
        The words, a cycle later; the array takes them.
    held : Out(1)
        There is a beat that the array does not take.
    taken : Out(1)
        The array takes one.
    """

    def __init__(self):
        self.module_name = "issuer"
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i_ready": Out(1),
                "room": In(1),
                "tile": Out(1),
                "move": Out(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o_ready": In(1),
                "held": Out(1),
                "taken": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        valid = Signal()
        last = Signal()
        m.d.comb += [
            self.move.eq(~valid | self.o_ready),
            self.i_ready.eq(self.move & self.room),
            self.tile.eq(self.i_valid & self.i_ready & self.i_last),
            self.o_valid.eq(valid),
            self.o_last.eq(last),
            self.held.eq(valid & ~self.o_ready),
            self.taken.eq(valid & self.o_ready),
        ]
        with m.If(self.move):
            m.d.sync += [valid.eq(self.i_valid & self.room), last.eq(self.i_last)]
        return m
