"""Proofs about the queues of the serial bridge, for any frames, host and engine."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from test_engine_properties import steady

from lowtide.interfaces.serial.queues import OperandQueue, ResultQueue


class KeptWordsComeInOrder(wiring.Component):
    """The n-th output word is the n-th committed word, and a word is lost only if the loss is reported."""

    def __init__(self, words):
        self.dut = OperandQueue(words)
        flags = ("write_operand", "commit", "discard", "ready_a", "ready_b", "last", "side")
        super().__init__({name: In(1) for name in flags} | {"number": In(32), "n": In(4)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        steady(m, self.n)
        m.d.comb += [getattr(dut, name).eq(getattr(self, name)) for name in ("write_operand", "commit", "discard")]
        m.d.comb += [
            dut.i.number.eq(self.number),
            dut.i.last.eq(self.last),
            dut.i.side.eq(self.side),
            dut.a.ready.eq(self.ready_a),
            dut.b.ready.eq(self.ready_b),
            Assume(~self.commit | (~self.write_operand & ~dut.overflow & ~self.discard)),
            Assume(~self.discard | ~self.write_operand),
        ]
        kept = Signal(5)
        fresh = Signal(5)  # later words that fitted into the queue
        given = Signal(5)
        word = Signal(34)  # the n-th word, as written last
        lost = Signal()
        has_place = Signal()
        gives = Signal()
        m.d.comb += [
            has_place.eq(dut.free != 0),
            gives.eq((dut.a.valid & self.ready_a) | (dut.b.valid & self.ready_b)),
            Assert(~(dut.a.valid & dut.b.valid)),
            Assert(dut.overflow == lost),
            Assert(dut.free >= dut.words - (kept - given)[:5] - fresh),
            Assert(~gives | (given < kept)),
        ]
        with m.If(gives & (given == self.n)):
            out = Mux(dut.b.valid, dut.b.payload.as_value(), dut.a.payload.as_value())
            m.d.comb += [Assert(out == word[:33]), Assert(dut.b.valid == word[33])]
        with m.If(self.write_operand):
            m.d.sync += [fresh.eq(fresh + has_place), lost.eq(lost | ~has_place)]
            with m.If(has_place & (kept + fresh == self.n)):
                m.d.sync += word.eq(dut.i.as_value())
        with m.If(self.commit):
            m.d.sync += kept.eq(kept + fresh)
        with m.If(self.commit | self.discard):
            m.d.sync += [fresh.eq(0), lost.eq(0)]
        m.d.sync += given.eq(given + gives)
        return m


@pytest.mark.slow
def test_kept_words_come_in_order(prove):
    prove(KeptWordsComeInOrder(2), depth=8)


class ResultsStayUntilTheyCame(wiring.Component):
    """At any position, a word that is reported as stored is the word that was written there, and is still stored."""

    def __init__(self, words):
        self.dut = ResultQueue(words)
        super().__init__({"valid": In(1), "word": In(32), "n": In(4), "received": In(16), "discard": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        steady(m, self.n)
        received = Signal(16)
        m.d.sync += received.eq(self.received)
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            dut.i.payload.eq(self.word),
            dut.position.eq(self.n),
            dut.received.eq(self.received),
            dut.discard.eq(self.discard),
            Assume(~self.discard | (dut.legal & (received == self.received))),
        ]
        put = Signal(16)
        word = Signal(32)  # the n-th word
        looked = Signal()
        kept = Signal(16)
        m.d.comb += [kept.eq(put - dut.oldest), Assert(kept <= dut.words)]
        forgot = Signal()  # a free position is detected a cycle later
        m.d.sync += forgot.eq(self.discard)
        m.d.comb += [Assert(~dut.i.ready | (kept != dut.words)), Assert(dut.i.ready | (kept == dut.words) | forgot)]
        with m.If(self.valid & dut.i.ready):
            m.d.sync += put.eq(put + 1)
            with m.If(put == self.n):
                m.d.sync += word.eq(self.word)
        there = Signal()  # in the cycle of the request
        m.d.sync += [looked.eq(1), there.eq((self.n >= dut.oldest) & (self.n < put))]
        with m.If(looked):
            m.d.comb += [Assert((dut.available != 0) == there), Assert(~there | (dut.word == word))]
        return m


def test_results_stay_until_they_came(prove):
    prove(ResultsStayUntilTheyCame(2), depth=8)
