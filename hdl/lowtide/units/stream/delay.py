"""Delays: registers, and units that delay by several cycles."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure, Unit
from lowtide.netlist.structure import power_of_two_split

__all__ = ["Delay", "MemoryDelay", "Register", "ShiftRegister", "delay", "delayed"]


def delayed(
    m: Module,
    value,
    cycles: int = 1,
    init: int | None = None,
    enable: Value | None = None,
    *,
    reset_less: bool = True,
):
    """Return ``value`` delayed by ``cycles`` cycles, with ``init`` (default: zero) as the values before power-up.

    With ``enable``, only cycles with ``enable`` high count. Unless ``reset_less``, a reset acts as power-up.
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


def delay(cycles: int, width: int, reset_less: bool = True, memory: bool = False) -> "Delay | MemoryDelay | Register":
    """Return a delay: a `Register` for one cycle, otherwise a `Delay`, or with ``memory`` a `MemoryDelay` if it can."""
    if cycles == 1:
        return Register(width, reset_less)
    if memory and cycles <= MemoryDelay.longest:
        return MemoryDelay(cycles, width)
    return Delay(cycles, width, reset_less, memory)


class Register(Unit):
    """Register: delays a word by one cycle.

    Parameters
    ----------
    width : int
        Bits of the word.
    reset_less : bool
        Whether the register ignores a reset. Synthesis may map such delays to shift registers in LUTs.

    Members
    -------
    i, o : In(width), Out(width)
        Word; the word one cycle later.
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
    """Delay line: delays a word by several cycles, as two shorter delays in series.

    Parameters
    ----------
    cycles : int
        Delay in cycles, 2 or more.
    width : int
        Bits of the word.
    reset_less : bool
        Whether the registers ignore a reset, see `Register`.
    memory : bool
        Whether the words wait in memory, see `MemoryDelay`.

    Members
    -------
    i, o : In(width), Out(width)
        Word; the word ``cycles`` cycles later.
    """

    def __init__(self, cycles: int, width: int, reset_less: bool = True, memory: bool = False):
        self.cycles, self.width, self.reset_less, self.memory = cycles, width, reset_less, memory
        kind = ("" if reset_less else "_reset") + ("_memory" if memory else "")
        self.module_name = f"delay_{cycles}x{width}{kind}"
        super().__init__({"i": In(width), "o": Out(width)})

    def wire(self, place):
        first, second = power_of_two_split(self.cycles)
        early = place("first", delay(first, self.width, self.reset_less, self.memory), i=self.i)
        late = place("second", delay(second, self.width, self.reset_less, self.memory), i=early.o)
        return {"o": late.o}


class MemoryDelay(Unit):
    """Delay line in memory: delays a word by several cycles, in look-up tables used as RAM.

    A counter addresses the oldest word, which is read, and replaced by the new word at the end of the cycle. A reset
    restarts the counter: for ``cycles`` cycles after a reset the output is unknown.

    Parameters
    ----------
    cycles : int
        Delay in cycles, from 2 to ``longest``.
    width : int
        Bits of the word.

    Members
    -------
    i, o : In(width), Out(width)
        Word; the word ``cycles`` cycles later, read from memory without a register.

    Attributes
    ----------
    longest : int
        Words of the smallest RAM in look-up tables of the common families.
    """

    longest = 16

    def __init__(self, cycles: int, width: int):
        self.cycles, self.width = cycles, width
        self.module_name = f"memory_delay_{cycles}x{width}"
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(shape=self.width, depth=self.cycles, init=[])
        write, read = words.write_port(), words.read_port(domain="comb")
        oldest = Signal(range(self.cycles))
        m.d.sync += oldest.eq(Mux(oldest == self.cycles - 1, 0, oldest + 1))
        m.d.comb += [
            write.en.eq(1),
            write.addr.eq(oldest),
            write.data.eq(self.i),
            read.addr.eq(oldest),
            self.o.eq(read.data),
        ]
        return m


class ShiftRegister(Unit):
    """Shift register: outputs a bit's values of the last cycles.

    Parameters
    ----------
    length : int
        Number of cycles.

    Members
    -------
    i : In(1)
        Bit.
    o : Out(length)
        Bit ``n`` is ``i`` delayed by ``n + 1`` cycles.
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
