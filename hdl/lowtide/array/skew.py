"""Skew: the delays that turn a beat into the diagonal wave that a systolic array works on, and back."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.array.delay import Delay
from lowtide.array.halves import halves
from lowtide.hierarchy import Unit, place

__all__ = ["Deskew", "Skew"]


class Skew(Unit):
    """Registers a beat, or zeros in its place, and delays word ``n`` by ``n`` further cycles.

    A skew is two smaller skews, and a delay behind each word of the second.

    Parameters
    ----------
    words : int
        Words in a beat, 1 or more.
    width : int
        Bits of a word.

    Members
    -------
    take : In(1)
        There is a beat; zeros go on where there is none.
    i, o : In(words * width), Out(words * width)
        Beat, word 0 in the lowest bits; word ``n`` comes out ``n + 1`` cycles later.
    """

    def __init__(self, words: int, width: int):
        self.words, self.width = words, width
        self.module_name = f"skew_{words}x{width}"
        super().__init__({"take": In(1), "i": In(words * width), "o": Out(words * width)})

    def elaborate(self, platform):
        m = Module()
        if self.words == 1:
            word = Signal(self.width, reset_less=True)
            m.d.sync += word.eq(Mux(self.take, self.i, 0))
            m.d.comb += self.o.eq(word)
            return m

        first, second = halves(self.words)
        cut = first * self.width
        low = place(
            m,
            platform,
            f"words_0_to_{first - 1}",
            Skew(first, self.width),
            take=self.take,
            i=self.i[:cut],
        )
        high = place(
            m,
            platform,
            f"words_{first}_to_{self.words - 1}",
            Skew(second, self.width),
            take=self.take,
            i=self.i[cut:],
        )
        delays = [
            place(
                m,
                platform,
                f"delay_{first + n}",
                Delay(first, self.width),
                i=high.o.word_select(n, self.width),
            )
            for n in range(second)
        ]
        m.d.comb += self.o.eq(Cat(low.o, (delay.o for delay in delays)))
        return m


class Deskew(Unit):
    """Delays word ``n`` of a skewed beat by ``words - 1 - n`` cycles, so that all words come out together.

    A deskew is two smaller ones, and a delay before each word of the first.

    Parameters
    ----------
    words : int
        Words in a beat, 1 or more.
    width : int
        Bits of a word.

    Members
    -------
    i, o : In(words * width), Out(words * width)
        Skewed and straight beat, word 0 in the lowest bits.
    """

    def __init__(self, words: int, width: int):
        self.words, self.width = words, width
        self.module_name = f"deskew_{words}x{width}"
        super().__init__({"i": In(words * width), "o": Out(words * width)})

    def elaborate(self, platform):
        m = Module()
        if self.words == 1:
            m.d.comb += self.o.eq(self.i)
            return m

        first, second = halves(self.words)
        cut = first * self.width
        delays = [
            place(m, platform, f"delay_{n}", Delay(second, self.width), i=self.i.word_select(n, self.width))
            for n in range(first)
        ]
        low = place(
            m,
            platform,
            f"words_0_to_{first - 1}",
            Deskew(first, self.width),
            i=Cat(delay.o for delay in delays),
        )
        high = place(
            m,
            platform,
            f"words_{first}_to_{self.words - 1}",
            Deskew(second, self.width),
            i=self.i[cut:],
        )
        m.d.comb += self.o.eq(Cat(low.o, high.o))
        return m
