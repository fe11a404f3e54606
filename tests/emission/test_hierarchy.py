"""Placed units: what is connected in a simulation is connected in Verilog."""

import re

from amaranth.hdl import Module, Signal, signed
from amaranth.lib.wiring import In, Out

from lowtide.emission.folder import verilog_and_modules
from lowtide.hierarchy import Unit, place


class Negation(Unit):
    """``o = -i``."""

    def __init__(self):
        self.module_name = "negation"
        super().__init__({"i": In(signed(4)), "o": Out(signed(5))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(-self.i)
        return m


class Twice(Unit):
    """A unit that holds two of them, one after the other."""

    def __init__(self):
        self.module_name = "twice"
        super().__init__({"i": In(signed(4)), "o": Out(signed(5))})

    def elaborate(self, platform):
        m = Module()
        between = Signal(signed(4))
        m.d.comb += between.eq(place(m, platform, "first", Negation(), i=self.i).o)
        m.d.comb += self.o.eq(place(m, platform, "second", Negation(), i=between).o)
        return m


def test_signed_ports_are_connected():
    text, _ = verilog_and_modules(Twice())
    instances = re.findall(r"negation \w+ \((.*?)\);", text, re.DOTALL)
    assert [re.findall(r"\.(\w+)\(", ports) for ports in instances] == [["i", "o"]] * 2
