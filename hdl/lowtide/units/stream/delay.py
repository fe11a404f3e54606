"""Delays: registers by a function, and delays of many cycles as units."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure, Unit
from lowtide.netlist.structure import power_of_two_split

__all__ = ["Delay", "Register", "ShiftRegister", "delay", "delayed"]


def delayed(
    m: Module,
    value,
    cycles: int = 1,
    init: int | None = None,
    enable: Value | None = None,
    *,
    reset_less: bool = True,
):
    """Give ``value`` as it was ``cycles`` cycles ago, or ``init`` (zero if not given) where that is before power-up.

    With ``enable`` only cycles in which it is high count. Unless it is ``reset_less``, a reset counts as power-up.
    """
    for _ in range(cycles):
        earlier = Signal.like(value, name="earlier", init=init, reset_less=reset_less)
        if enable is None:
            m.d.sync += earlier.eq(value)
        else:
            with m.If(enable):
                m.d.sync += earlier.eq(value)
        value = earlier
    return value


def delay(cycles: int, width: int, reset_less: bool = True) -> "Delay | Register":
    """A delay, which is just a register if it is of one cycle."""
    return Register(width, reset_less) if cycles == 1 else Delay(cycles, width, reset_less)


class Register(Unit):
    """Delays a word by a cycle.

    Parameters
    ----------
    width : int
        Bits of the word.
    reset_less : bool
        Keep what is in flight over a reset. Without a reset, a delay may become a shift register in LUTs.

    Members
    -------
    i, o : In(width), Out(width)
        Word, and the word a cycle ago.
    """

    def __init__(self, width: int, reset_less: bool = True):
        self.reset_less = reset_less
        self.module_name = f"register_{width}" + ("" if reset_less else "_reset")
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        word = Signal.like(self.i, reset_less=self.reset_less)
        m.d.sync += word.eq(self.i)
        m.d.comb += self.o.eq(word)
        return m


class Delay(Structure):
    """Delays a word by a number of cycles: a longer delay is two shorter ones.

    Parameters
    ----------
    cycles : int
        Delay, 2 or more.
    width, reset_less
        As those of `Register`.

    Members
    -------
    i, o : In(width), Out(width)
        Word, and the word ``cycles`` cycles ago.
    """

    def __init__(self, cycles: int, width: int, reset_less: bool = True):
        self.cycles, self.width, self.reset_less = cycles, width, reset_less
        self.module_name = f"delay_{cycles}x{width}" + ("" if reset_less else "_reset")
        super().__init__({"i": In(width), "o": Out(width)})

    def wire(self, place):
        first, second = power_of_two_split(self.cycles)
        early = place("first", delay(first, self.width, self.reset_less), i=self.i)
        late = place("second", delay(second, self.width, self.reset_less), i=early.o)
        return {"o": late.o}


class ShiftRegister(Unit):
    """Gives a bit as it was in each of the last cycles.

    Parameters
    ----------
    length : int
        Cycles.

    Members
    -------
    i : In(1)
        The bit.
    o : Out(length)
        Bit ``n`` is ``i`` as it was ``n + 1`` cycles ago.
    """

    def __init__(self, length: int):
        self.length = length
        self.module_name = f"shift_register_{length}"
        super().__init__({"i": In(1), "o": Out(length)})

    def elaborate(self, platform):
        m = Module()
        bits = Signal(self.length)
        m.d.sync += bits.eq(Cat(self.i, bits))
        m.d.comb += self.o.eq(bits)
        return m
