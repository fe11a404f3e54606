"""Banks: which half of a buffer is written, which is read, and whether one is free."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["PingPongBanks"]


class PingPongBanks(Unit):
    """Keeps count of the two banks of an operand's buffer.

    A bank is taken when an operand begins to be loaded, and is free again when the first run over the next operand
    begins: until then, further runs may use it.

    Members
    -------
    free : Out(1)
        An operand can be loaded.
    load : In(1)
        One begins to be, in bank ``write``. Only if one is free.
    begins : In(1)
        A run over an operand that no run was over before begins.
    write : Out(1)
        Bank of the operand that is loaded next.
    loaded : Out(1)
        Bank of the operand that was loaded last.
    """

    def __init__(self):
        self.module_name = "ping_pong_banks"
        super().__init__({"free": Out(1), "load": In(1), "begins": In(1), "write": Out(1), "loaded": Out(1)})

    def elaborate(self, platform):
        m = Module()
        taken = Signal(range(3))  # banks; one of them is that of a run
        used = Signal()
        m.d.comb += [self.free.eq(taken != 2), self.loaded.eq(~self.write)]
        m.d.sync += [taken.eq(taken + self.load - (self.begins & used)), used.eq(used | self.begins)]
        with m.If(self.load):
            m.d.sync += self.write.eq(~self.write)
        return m
