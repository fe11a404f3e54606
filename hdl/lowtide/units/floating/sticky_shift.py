"""Sticky shifter: right shift with a sticky bit."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StickyShift"]


class StickyShift(wiring.Component):
    """Sticky shifter: ``i >> shift``, and below it a sticky bit, high if a one was shifted out. Combinational.

    Parameters
    ----------
    width : int
        Bits of the word.
    places : int
        Bits of the shift.

    Members
    -------
    i : In(width)
        Word.
    shift : In(places)
        Bits to shift by.
    o : Out(1 + width)
        Shifted word, with the sticky bit as the lowest bit.
    """

    def __init__(self, width: int, places: int):
        self.width, self.places = width, places
        super().__init__({"i": In(width), "shift": In(places), "o": Out(1 + width)})

    def elaborate(self, platform):
        m = Module()
        word = Cat(Const(0, 1), self.i)[: 1 + self.width]
        for place in reversed(range(self.places)):
            amount, moves = 1 << place, self.shift[place]
            moved = Signal(1 + self.width, name=f"moved_{amount}")
            lost = word[: amount + 1].any()
            m.d.comb += moved.eq(Mux(moves, Cat(lost, word[amount + 1 :]), word))
            word = moved
        m.d.comb += self.o.eq(word)
        return m
