"""The prover knows what is written to memories."""

import pytest
from amaranth.hdl import Assert, Assume, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In


class WordsAreReadAsWritten(wiring.Component):
    """A word at any one address is read as it was last written there, plus ``wrong``."""

    def __init__(self, wrong):
        self.wrong = wrong
        super().__init__({"address": In(1), "data": In(2), "write": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=2, depth=2, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        kept = Signal(2)
        m.d.comb += [
            Assume(~ResetSignal()),
            write.addr.eq(self.address),
            write.data.eq(self.data),
            write.en.eq(self.write),
            read.addr.eq(1),
            Assert(read.data == (kept + self.wrong)[:2]),
        ]
        with m.If(self.write & self.address):
            m.d.sync += kept.eq(self.data)
        return m


def test_words_are_read_as_written(prove):
    prove(WordsAreReadAsWritten(0), depth=6)


def test_another_word_is_found(prove):
    with pytest.raises(AssertionError, match="Assert failed"):
        prove(WordsAreReadAsWritten(1), depth=6)
