"""Skew: delays that turn a beat into the diagonal wavefront of a systolic array."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure, Unit, place
from lowtide.netlist.structure import power_of_two_split
from lowtide.units.stream.delay import MemoryDelay, delay

__all__ = ["MemorySkew", "Skew", "SkewedWord", "skew"]


def skew(bits: int, width: int, kind: str = "registers") -> "MemorySkew | Skew | SkewedWord":
    """Return a skew of several words in ``registers`` or ``memory``, or a `SkewedWord` for one word."""
    if bits <= width:
        return SkewedWord(bits)
    if kind == "memory" and bits <= MemoryDelay.longest * width:
        return MemorySkew(bits, width)
    return Skew(bits, width, kind)


def _name(bits: int, width: int) -> str:
    """Return a name with the number of words and their width, and the width of a shorter last word."""
    words, last = divmod(bits, width)
    return f"skew_{words + 1}x{width}_last_{last}" if last else f"skew_{words}x{width}"


class SkewedWord(Unit):
    """Last stage of a skew: registers a word, and clears it if there is no beat.

    A word is registered as it arrives. It is cleared one cycle later, by a registered bit that arrived with it. So
    ``idle_i`` drives a single register instead of one gate per bit.

    Parameters
    ----------
    width : int
        Width of the word in bits.
    cycles : int
        Cycles that the word waits before it is cleared: 1 in a register, otherwise in a `MemoryDelay`.

    Members
    -------
    idle_i : In(1)
        High ``cycles - 1`` cycles after there is no word.
    idle_o : Out(1)
        ``idle_i`` delayed by one cycle, for the next word.
    i : In(width)
        Word.
    o : Out(width)
        The word after ``latency`` cycles, or zero.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o``: ``cycles + 1``.
    """

    def __init__(self, width: int, cycles: int = 1):
        self.width, self.cycles, self.latency = width, cycles, cycles + 1
        self.module_name = f"skewed_word_{width}" + (f"_{cycles}" if cycles > 1 else "")
        super().__init__({"idle_i": In(1), "idle_o": Out(1), "i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        word = Signal(self.width, reset_less=True)
        idle = Signal(reset_less=True)  # this polarity drives the reset of `kept` without a gate
        kept = Signal(self.width, reset_less=True)
        if self.cycles == 1:
            m.d.sync += word.eq(self.i)
        else:
            m.d.comb += word.eq(place(m, platform, "delay", MemoryDelay(self.cycles, self.width), i=self.i).o)
        m.d.sync += [idle.eq(self.idle_i), kept.eq(Mux(idle, 0, word))]
        m.d.comb += [self.o.eq(kept), self.idle_o.eq(idle)]
        return m


class Skew(Structure):
    """Skew: delays word ``n`` of a beat by ``n`` cycles, and sends zeros where there is no beat.

    A skew in registers, or of more than `MemoryDelay.longest` words, consists of two smaller skews, and a delay before
    each word of the second. The idle bit passes from word to word, one cycle each, as the words do. So it drives a
    single register per cycle.

    Parameters
    ----------
    bits : int
        Width of a beat in bits, more than one word.
    width : int
        Width of a word in bits; the last word may be shorter.
    kind : str
        Where words wait: in ``registers`` or in ``memory``.

    Members
    -------
    idle_i : In(1)
        High when there is no beat.
    idle_o : Out(1)
        ``idle_i`` delayed by ``words`` cycles.
    i : In(bits)
        Beat, word 0 in the lowest bits.
    o : Out(bits)
        Skewed words; word ``n`` leaves after ``latency + n`` cycles.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o`` for word 0.
    """

    latency = 2

    def __init__(self, bits: int, width: int, kind: str = "registers"):
        self.words, self.width, self.kind = -(-bits // width), width, kind
        self.module_name = _name(bits, width) + ("_memory" if kind == "memory" else "")
        super().__init__({"idle_i": In(1), "idle_o": Out(1), "i": In(bits), "o": Out(bits)})

    def wire(self, place):
        first, _ = power_of_two_split(self.words)
        cut = first * self.width
        low, high = skew(cut, self.width, self.kind), skew(len(self.i) - cut, self.width, self.kind)
        place(f"words_0_to_{first - 1}", low, idle_i=self.idle_i, i=self.i[:cut])
        delays = []
        for n in range(first, self.words):
            word = self.i[n * self.width : (n + 1) * self.width]
            delays.append(place(f"delay_{n}", delay(first, len(word), memory=self.kind == "memory"), i=word))
        place(f"words_{first}_to_{self.words - 1}", high, idle_i=low.idle_o, i=Cat(part.o for part in delays))
        return {"idle_o": high.idle_o, "o": Cat(low.o, high.o)}


class MemorySkew(Structure):
    """Skew in memory: a `Skew` in which each word waits in a single memory.

    The memories are not reset. While they contain unknown words, the idle bits clear these words.

    Parameters
    ----------
    bits : int
        Width of a beat in bits: more than one word, and at most `MemoryDelay.longest` words.
    width : int
        Width of a word in bits; the last word may be shorter.

    Members
    -------
    idle_i : In(1)
        High when there is no beat.
    idle_o : Out(1)
        ``idle_i`` delayed by ``words`` cycles.
    i : In(bits)
        Beat, word 0 in the lowest bits.
    o : Out(bits)
        Skewed words; word ``n`` leaves after ``latency + n`` cycles.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o`` for word 0.
    """

    latency = Skew.latency

    def __init__(self, bits: int, width: int):
        self.words, self.width = -(-bits // width), width
        self.module_name = _name(bits, width) + "_memory"
        super().__init__({"idle_i": In(1), "idle_o": Out(1), "i": In(bits), "o": Out(bits)})

    def wire(self, place):
        idle, skewed = self.idle_i, []
        for n in range(self.words):
            i = self.i[n * self.width : (n + 1) * self.width]
            word = place(f"word_{n}", SkewedWord(len(i), n + 1), idle_i=idle, i=i)
            idle = word.idle_o
            skewed.append(word.o)
        return {"idle_o": idle, "o": Cat(skewed)}
