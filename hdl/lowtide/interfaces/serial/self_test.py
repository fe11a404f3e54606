"""Self-test: a conversation that the hardware holds with itself after reset, in place of a host."""

import zlib

import attrs
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.crc.catalog import CRC32_ISCSI
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.serial.protocol import FLAG
from lowtide.netlist import Unit

__all__ = ["SelfTest", "SelfTestVectors", "check_of"]

BYTE = 16
"""Cycles from a byte of a request to the next: more than a `FrameReceiver` needs."""

LEVELS_WORD = 2
"""Word of an answer that says how far an engine is, which no model knows to the cycle."""


def check_of(answers: bytes) -> int:
    """CRC-32C of answers. Since each of them ends with its CRC-32, that of all is the same whatever they say."""
    return CRC32_ISCSI(data_width=8).compute(answers)


@attrs.frozen
class SelfTestVectors:
    """Requests, and what is expected of the answers.

    Parameters
    ----------
    requests : bytes
        Frames, as they would come over the line.
    check : int
        `check_of` the bytes of all answers, flags included, their levels being 0.
    patience : int
        Cycles from a request's last byte to the next request. Its answer must be complete by then.
    """

    requests: bytes
    check: int
    patience: int = 1 << 12


class SelfTest(Unit):
    """Stands in for the line until its conversation is over.

    It keeps time by itself, whatever comes of a request: it ends even if nothing answers.

    Parameters
    ----------
    conversation : SelfTestVectors
        What is asked, and what is expected.

    Members
    -------
    i : In(stream of 8 bits)
        Bytes from the line. They wait while there is a test.
    o : Out(stream of 8 bits)
        To the `FrameReceiver`: those of the test, then those of the line.
    words_i, words_o : In, Out(stream of {word, last})
        Words of answers, from the executor to the sender; in the test, their levels are 0.
    answer_i, answer_o : In, Out(stream of 8 bits)
        Bytes of answers, from the sender to the line, which gets none of the test.
    over, passed : Out(1), Out(1)
        The test is over; the answers were those expected.
    """

    def __init__(self, conversation: SelfTestVectors):
        self.conversation = conversation
        requests = conversation.requests
        self.module_name = f"self_test_{zlib.crc32(requests):08x}_{conversation.check:08x}_{conversation.patience}"
        byte = stream.Signature(8)
        words = stream.Signature(data.StructLayout({"word": 32, "last": 1}))
        super().__init__(
            {
                "i": In(byte),
                "o": Out(byte),
                "words_i": In(words),
                "words_o": Out(words),
                "answer_i": In(byte),
                "answer_o": Out(byte),
                "over": Out(1),
                "passed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        requests = self.conversation.requests
        m.submodules.memory = memory = Memory(shape=8, depth=len(requests), init=requests)
        read = memory.read_port()
        at = Signal(range(len(requests) + 1))
        remaining = Signal(range(max(BYTE, self.conversation.patience)), init=BYTE - 1)
        asks = Signal()  # a byte goes out in this cycle
        ends = Signal()
        m.d.comb += [
            read.addr.eq(at),
            ends.eq(at == len(requests)),
            asks.eq((remaining == 0) & ~ends),
            self.o.payload.eq(Mux(self.over, self.i.payload, read.data)),
            self.o.valid.eq(Mux(self.over, self.i.valid, asks)),
            self.i.ready.eq(self.over & self.o.ready),
        ]
        with m.If(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        with m.Elif(~ends):
            last = read.data == FLAG
            m.d.sync += [at.eq(at + 1), remaining.eq(Mux(last, self.conversation.patience - 1, BYTE - 1))]
        with m.Else():
            m.d.sync += self.over.eq(1)

        self._hide_levels(m)
        self._check(m)
        return m

    def _hide_levels(self, m: Module) -> None:
        word = Signal(range(LEVELS_WORD + 2))  # it stays at the last
        hides = Signal()
        m.d.comb += [
            hides.eq(~self.over & (word == LEVELS_WORD)),
            self.words_o.valid.eq(self.words_i.valid),
            self.words_i.ready.eq(self.words_o.ready),
            self.words_o.payload.last.eq(self.words_i.payload.last),
            self.words_o.payload.word.eq(Mux(hides, 0, self.words_i.payload.word)),
        ]
        with m.If(self.words_o.valid & self.words_o.ready):
            m.d.sync += word.eq(Mux(self.words_o.payload.last, 0, word + (word != LEVELS_WORD + 1)))

    def _check(self, m: Module) -> None:
        m.submodules.crc = crc = CRC32_ISCSI(data_width=1).create()
        bits = Signal(9)  # of the byte that is being checked, and a one above them
        checking = Signal()
        m.d.comb += [
            checking.eq(bits[1:].any()),
            crc.valid.eq(checking),
            crc.data.eq(bits[0]),
            self.answer_o.payload.eq(self.answer_i.payload),
            self.answer_o.valid.eq(self.over & self.answer_i.valid),
            self.answer_i.ready.eq(Mux(self.over, self.answer_o.ready, ~checking)),
            self.passed.eq(self.over & (crc.crc == self.conversation.check)),
        ]
        with m.If(checking):
            m.d.sync += bits.eq(bits >> 1)
        with m.Elif(~self.over & self.answer_i.valid):
            m.d.sync += bits.eq(Cat(self.answer_i.payload, 1))
