"""Placed units: what is connected in a simulation is connected in Verilog."""

import re

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib.wiring import In, Out

from lowtide.emission.folder import verilog_and_modules
from lowtide.hierarchy import Structure, Unit, place


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


class Misspelt(Twice):
    """A unit that connects a port that is not there."""

    def __init__(self):
        super().__init__()
        self.module_name = "misspelt"

    def elaborate(self, platform):
        m = Module()
        place(m, platform, "first", Negation(), j=self.i)
        return m


class MisspeltStructure(Structure):
    """The same without logic."""

    def __init__(self):
        self.module_name = "misspelt_structure"
        super().__init__({"i": In(signed(4)), "o": Out(signed(5))})

    def wire(self, place):
        return {"o": place("first", Negation(), j=self.i).o}


@pytest.mark.parametrize("unit", [Misspelt, MisspeltStructure])
def test_an_input_that_is_not_there_is_named(unit):
    with pytest.raises(TypeError, match=r"^negation has no input j$"):
        verilog_and_modules(unit())
