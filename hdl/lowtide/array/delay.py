"""A delay of some cycles."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.array.halves import halves
from lowtide.hierarchy import Unit, place

__all__ = ["Delay"]


class Delay(Unit):
    """Delays a word by a number of cycles. A longer delay is two shorter ones.

    Parameters
    ----------
    cycles : int
        Delay, 1 or more.
    width : int
        Bits of the word.
    reset_less : bool
        Keep what is in flight over a reset. Without a reset, a delay may become a shift register in LUTs.

    Members
    -------
    i, o : In(width), Out(width)
        Word, and the word ``cycles`` cycles ago.
    """

    def __init__(self, cycles: int, width: int, reset_less: bool = True):
        self.cycles, self.width, self.reset_less = cycles, width, reset_less
        self.module_name = f"delay_{cycles}x{width}" + ("" if reset_less else "_reset")
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        if self.cycles == 1:
            word = Signal(self.width, reset_less=self.reset_less)
            m.d.sync += word.eq(self.i)
            m.d.comb += self.o.eq(word)
            return m

        word = self.i
        for name, cycles in zip(("first", "second"), halves(self.cycles), strict=True):
            word = place(m, platform, name, Delay(cycles, self.width, self.reset_less), i=word).o
        m.d.comb += self.o.eq(word)
        return m
