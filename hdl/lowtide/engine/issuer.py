"""Issuer: sends beats from the buffers to the array while the results fit."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["Issuer"]


class Issuer(Unit):
    """Issuer: tracks the words that the buffers read, and whether each is valid and ends a tile.

    Members
    -------
    i_valid : In(1)
        High while the addresses of a beat are valid.
    i_last : In(1)
        High with the last beat of a tile.
    i_ready : Out(1)
        High when the addresses are accepted; the buffers then read.
    room : In(1)
        High while one more tile may end.
    tile : Out(1)
        High when the accepted addresses end a tile.
    move : Out(1)
        Read enable of the buffers.
    o_valid : Out(1)
        High while the words of the buffers are valid, one cycle after their addresses.
    o_last : Out(1)
        High with the last beat of a tile.
    o_ready : In(1)
        High when the array accepts a beat.
    stalled : Out(1)
        High when the array does not accept a valid beat.
    taken : Out(1)
        High when the array accepts a beat.
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
                "stalled": Out(1),
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
            self.stalled.eq(valid & ~self.o_ready),
            self.taken.eq(valid & self.o_ready),
        ]
        with m.If(self.move):
            m.d.sync += [valid.eq(self.i_valid & self.room), last.eq(self.i_last)]
        return m
