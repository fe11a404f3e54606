"""Skew: the delays that turn a beat into the diagonal wave that a systolic array works on, and back."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.array.delay import Delay
from lowtide.array.halves import halves
from lowtide.hierarchy import Unit, place

__all__ = ["Deskew", "Skew"]


class Skew(Unit):
    """Delays word ``n`` of a beat by ``n`` cycles, and puts zeros where there is none.

    A skew is two smaller skews, and a delay before each word of the second. Words are registered as they come, and
    cleared only at the end, each by a bit that came with it: the signal that there is none reaches a register a word,
    rather than a gate a bit.

    Parameters
    ----------
    words : int
        Words in a beat, 1 or more.
    width : int
        Bits of a word.

    Members
    -------
    idle : In(words)
        There is no beat: the same bit for every word.
    i, o : In(words * width), Out(words * width)
        Beat, word 0 in the lowest bits; word ``n`` comes out ``latency + n`` cycles later.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o`` for word 0.
    """

    latency = 2

    def __init__(self, words: int, width: int):
        self.words, self.width = words, width
        self.module_name = f"skew_{words}x{width}"
        super().__init__({"idle": In(words), "i": In(words * width), "o": Out(words * width)})

    def elaborate(self, platform):
        m = Module()
        if self.words == 1:
            word = Signal(self.width, reset_less=True)
            idle = Signal(reset_less=True)  # this way round it is the reset of `kept` without a gate between
            kept = Signal(self.width, reset_less=True)
            m.d.sync += [word.eq(self.i), idle.eq(self.idle), kept.eq(Mux(idle, 0, word))]
            m.d.comb += self.o.eq(kept)
            return m

        first, second = halves(self.words)
        cut = first * self.width
        low = place(
            m,
            platform,
            f"words_0_to_{first - 1}",
            Skew(first, self.width),
            idle=self.idle[:first],
            i=self.i[:cut],
        )
        delays = [
            place(
                m,
                platform,
                f"delay_{n}",
                Delay(first, self.width + 1),
                i=Cat(self.i.word_select(n, self.width), self.idle[n]),
            )
            for n in range(first, self.words)
        ]
        high = place(
            m,
            platform,
            f"words_{first}_to_{self.words - 1}",
            Skew(second, self.width),
            idle=Cat(delay.o[-1] for delay in delays),
            i=Cat(delay.o[:-1] for delay in delays),
        )
        m.d.comb += self.o.eq(Cat(low.o, high.o))
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
