"""Skew: the delays that turn a beat into the diagonal wave that a systolic array works on."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure, Unit
from lowtide.netlist.structure import power_of_two_split
from lowtide.units.stream.delay import delay

__all__ = ["Skew", "SkewedWord", "skew"]


def skew(words: int, width: int) -> "Skew | SkewedWord":
    """A skew, which is just the end of one if it is of one word."""
    return SkewedWord(width) if words == 1 else Skew(words, width)


class SkewedWord(Unit):
    """The end of a skew: takes a word, and clears it if there is none.

    A word is registered as it comes, and cleared only then, by a bit that came with it. So the signal that there is
    none reaches a register, rather than a gate a bit.

    Parameters
    ----------
    width : int
        Bits of the word.

    Members
    -------
    idle_i, idle_o : In(1), Out(1)
        There is no word; the same a cycle later, for the next word.
    i, o : In(width), Out(width)
        Word, and the word ``latency`` cycles ago, or zero.
    """

    latency = 2

    def __init__(self, width: int):
        self.width = width
        self.module_name = f"skewed_word_{width}"
        super().__init__({"idle_i": In(1), "idle_o": Out(1), "i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        word = Signal(self.width, reset_less=True)
        idle = Signal(reset_less=True)  # this way round it is the reset of `kept` without a gate between
        kept = Signal(self.width, reset_less=True)
        m.d.sync += [word.eq(self.i), idle.eq(self.idle_i), kept.eq(Mux(idle, 0, word))]
        m.d.comb += [self.o.eq(kept), self.idle_o.eq(idle)]
        return m


class Skew(Structure):
    """Delays word ``n`` of a beat by ``n`` cycles, and puts zeros where there is none.

    A skew is two smaller skews, and a delay before each word of the second. That there is no beat passes from
    word to word, a cycle each, as the words do: it has to reach but one register a cycle.

    Parameters
    ----------
    words : int
        Words in a beat, 2 or more.
    width : int
        Bits of a word.

    Members
    -------
    idle_i, idle_o : In(1), Out(1)
        There is no beat; the same ``words`` cycles later.
    i, o : In(words * width), Out(words * width)
        Beat, word 0 in the lowest bits; word ``n`` comes out ``latency + n`` cycles later.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o`` for word 0.
    """

    latency = SkewedWord.latency

    def __init__(self, words: int, width: int):
        self.words, self.width = words, width
        self.module_name = f"skew_{words}x{width}"
        super().__init__({"idle_i": In(1), "idle_o": Out(1), "i": In(words * width), "o": Out(words * width)})

    def wire(self, place):
        first, second = power_of_two_split(self.words)
        cut = first * self.width
        low = place(f"words_0_to_{first - 1}", skew(first, self.width), idle_i=self.idle_i, i=self.i[:cut])
        delays = [
            place(f"delay_{n}", delay(first, self.width), i=self.i.word_select(n, self.width))
            for n in range(first, self.words)
        ]
        high = place(
            f"words_{first}_to_{self.words - 1}",
            skew(second, self.width),
            idle_i=low.idle_o,
            i=Cat(part.o for part in delays),
        )
        return {"idle_o": high.idle_o, "o": Cat(low.o, high.o)}
