"""Instances of units: Verilog has the connections of the simulation."""

import re
from collections.abc import Callable

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.emission.folder import verilog_and_modules
from lowtide.netlist import Structure, Unit, place
from lowtide.units.stream.buffers import SkidBuffer

WORD = data.StructLayout({"data": 8, "last": 1})
WORDS = stream.Signature(WORD)


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
    """Two negations in series."""

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
    """Unit that connects a port that does not exist."""

    def __init__(self):
        super().__init__()
        self.module_name = "misspelt"

    def elaborate(self, platform):
        m = Module()
        place(m, platform, "first", Negation(), j=self.i)
        return m


class MisspeltStructure(Structure):
    """Structure that connects a port that does not exist."""

    def __init__(self):
        self.module_name = "misspelt_structure"
        super().__init__({"i": In(signed(4)), "o": Out(signed(5))})

    def wire(self, place):
        return {"o": place("first", Negation(), j=self.i).o}


@pytest.mark.parametrize("unit", [Misspelt, MisspeltStructure])
def test_an_unknown_input_is_rejected(unit):
    with pytest.raises(TypeError, match=r"^negation has no input j$"):
        verilog_and_modules(unit())


class Unequal(Twice):
    """Unit that connects a port to a wire of another width."""

    def __init__(self, width):
        super().__init__()
        self.module_name, self.width = f"unequal_{width}", width

    def elaborate(self, platform):
        m = Module()
        place(m, platform, "first", Negation(), i=Signal(self.width))
        return m


class UnequalStructure(Structure):
    """Structure that connects a port to a wire of another width."""

    def __init__(self, width):
        self.module_name, self.width = f"unequal_structure_{width}", width
        super().__init__({"i": In(width), "o": Out(signed(5))})

    def wire(self, place):
        return {"o": place("first", Negation(), i=self.i).o}


@pytest.mark.parametrize("unit", [Unequal, UnequalStructure])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_a_wire_of_another_width_is_rejected(unit, width):
    with pytest.raises(ValueError, match=rf"must have 4 bits, not {width}$"):
        verilog_and_modules(unit(width))


class Counted(Unit):
    """Unit with ports that may be empty."""

    def __init__(self, bits):
        self.module_name, self.bits = f"counted_{bits}", bits
        super().__init__({"i": In(2), "index": In(bits), "o": Out(2), "next": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.o.eq(~self.i), self.next.eq(self.index + 1)]
        return m


class CountedTwice(Counted):
    """Unit with two instances of `Counted`."""

    def elaborate(self, platform):
        m = Module()
        first = place(m, platform, "first", Counted(self.bits), i=self.i, index=self.index)
        second = place(m, platform, "second", Counted(self.bits), i=first.o, index=first.next)
        m.d.comb += [self.o.eq(second.o), self.next.eq(second.next)]
        return m

    def __init__(self, bits):
        super().__init__(bits)
        self.module_name = f"counted_twice_{bits}"


class CountedStructure(Structure):
    """Structure with two instances of `Counted`."""

    def __init__(self, bits):
        self.module_name, self.bits = f"counted_structure_{bits}", bits
        super().__init__({"i": In(2), "index": In(bits), "o": Out(2), "next": Out(bits)})

    def wire(self, place):
        first = place("first", Counted(self.bits), i=self.i, index=self.index)
        second = place("second", CountedTwice(self.bits), i=first.o, index=first.next)
        return {"o": second.o, "next": second.next}


@pytest.mark.parametrize("unit", [Counted, CountedTwice, CountedStructure])
@pytest.mark.parametrize("bits", [0, 1, 2])
def test_an_empty_port_is_omitted(unit, bits):
    text, names = verilog_and_modules(unit(bits))
    assert "[-1:0]" not in text
    assert text.count(".i(") == text.count(".o(") == {Counted: 0, CountedTwice: 2, CountedStructure: 4}[unit]
    assert len(re.findall(r"^  input .*\bindex;", text, re.MULTILINE)) == (len(names) if bits else 0)
    assert len(re.findall(r"^  output .*\bnext;", text, re.MULTILINE)) == (len(names) if bits else 0)
    assert text.count(".index(") == text.count(".next(") == (text.count(".i(") if bits else 0)


class Pair(Structure):
    """Structure that connects streams as a whole, to a unit with logic or to a structure."""

    def __init__(self, inner: Callable[[], Unit]):
        self.inner = inner
        self.module_name = f"pair_of_{inner().module_name}"
        super().__init__({"i": In(WORDS), "o": Out(WORDS)})

    def wire(self, place):
        first, second = self.inner(), self.inner()
        place("first", first, i=self.i, o=second.i)
        place("second", second, i=first.o, o=self.o)
        return {"i": first.i, "o": second.o}


class PairByPort(Pair):
    """Structure with the connections of `Pair`, port by port."""

    def wire(self, place):
        first, second = self.inner(), self.inner()
        place("first", first, i__valid=self.i.valid, i__payload=self.i.payload, o__ready=second.i.ready)
        place("second", second, i__valid=first.o.valid, i__payload=first.o.payload, o__ready=self.o.ready)
        return {"i__ready": first.i.ready, "o__valid": second.o.valid, "o__payload": second.o.payload}


@pytest.mark.parametrize("inner", [lambda: SkidBuffer(WORD), lambda: Pair(lambda: SkidBuffer(WORD))])
def test_a_stream_connects_as_its_ports(inner):
    assert verilog_and_modules(Pair(inner)) == verilog_and_modules(PairByPort(inner))
    assert rtlil.convert(Pair(inner), emit_src=False) == rtlil.convert(PairByPort(inner), emit_src=False)


class StateMachine(Unit):
    """Unit with a state machine: a multiplexer with one-hot selection."""

    def __init__(self):
        self.module_name = "state_machine"
        super().__init__({"go": In(1), "i": In(8), "o": Out(8)})

    def elaborate(self, platform):
        m = Module()
        with m.FSM():
            for n in range(4):
                with m.State(f"state {n}"):
                    m.d.comb += self.o.eq(self.i + n)
                    with m.If(self.go):
                        m.next = f"state {(n + 1) % 4}"
        return m


def test_cases_do_not_overlap():
    text, _ = verilog_and_modules(StateMachine())
    patterns = re.findall(r"^ *\d+'b([01?]+):$", text, re.MULTILINE)
    assert len(patterns) >= 3
    assert "parallel_case" not in text
    for one in patterns:
        for other in patterns:
            apart = any({a, b} == {"0", "1"} for a, b in zip(one, other, strict=True))
            assert apart == (one != other)
