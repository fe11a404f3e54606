"""Ping-pong banks: tracks which bank of a buffer is written, read or free."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["PingPongBanks"]


class PingPongBanks(Unit):
    """Ping-pong banks: tracks the two banks of an operand buffer.

    Loading an operand occupies a bank. The bank becomes free when the first run with the next operand starts; until
    then further runs may reuse its operand.

    Members
    -------
    free : Out(1)
        High while an operand can be loaded.
    load : In(1)
        Pulses for one cycle when loading into bank ``write`` starts. Only while ``free`` is high.
    begins : In(1)
        Pulses for one cycle when the first run with a new operand starts.
    write : Out(1)
        Bank of the next operand to load.
    loaded : Out(1)
        Bank of the operand loaded last.
    """

    def __init__(self):
        self.module_name = "ping_pong_banks"
        super().__init__({"free": Out(1), "load": In(1), "begins": In(1), "write": Out(1), "loaded": Out(1)})

    def elaborate(self, platform):
        m = Module()
        taken = Signal(range(3))  # occupied banks, including the bank of a run
        used = Signal()
        m.d.comb += [self.free.eq(taken != 2), self.loaded.eq(~self.write)]
        m.d.sync += [taken.eq(taken + self.load - (self.begins & used)), used.eq(used | self.begins)]
        with m.If(self.load):
            m.d.sync += self.write.eq(~self.write)
        return m
