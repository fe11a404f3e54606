"""Self-test: sends stored requests to the engine after reset, and checks the answers."""

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
"""Cycles between bytes of a request: more than a `FrameReceiver` needs."""

LEVELS_WORD = 2
"""Word of an answer with the queue levels, which a model cannot predict to the cycle."""


def check_of(answers: bytes) -> int:
    """Return the CRC-32C of answers. Each answer ends with its CRC-32, so a CRC-32 over all of them is constant."""
    return CRC32_ISCSI(data_width=8).compute(answers)


@attrs.frozen
class SelfTestVectors:
    """Requests of a self-test, and the check value of their answers.

    Parameters
    ----------
    requests : bytes
        Frames as a host would send them.
    check : int
        `check_of` the bytes of all answers, flags included, with their levels set to 0.
    timeout : int
        Cycles from the last byte of a request to the next request. The answer must be complete by then.
    """

    requests: bytes
    check: int
    timeout: int = 1 << 12


class SelfTest(Unit):
    """Self-test: replaces the host until all stored requests are sent.

    Timing is fixed and independent of the answers, so the self-test ends even if nothing answers.

    Parameters
    ----------
    vectors : SelfTestVectors
        Requests, and the check value of their answers.

    Members
    -------
    i : In(stream of 8)
        Bytes from the receiver. They wait during the self-test.
    o : Out(stream of 8)
        Bytes to the `FrameReceiver`: the stored requests, then the bytes from the receiver.
    words_i : In(stream of {"word": 32, "last": 1})
        Words of answers from the executor.
    words_o : Out(stream of {"word": 32, "last": 1})
        Words of answers to the frame sender; their levels are 0 during the self-test.
    answer_i : In(stream of 8)
        Bytes of answers from the frame sender.
    answer_o : Out(stream of 8)
        Bytes of answers to the transmitter; none during the self-test.
    done : Out(1)
        High after the self-test.
    passed : Out(1)
        High after the self-test if the answers match the check value.
    """

    def __init__(self, vectors: SelfTestVectors):
        self.vectors = vectors
        requests = vectors.requests
        self.module_name = f"self_test_{zlib.crc32(requests):08x}_{vectors.check:08x}_{vectors.timeout}"
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
                "done": Out(1),
                "passed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        requests = self.vectors.requests
        m.submodules.memory = memory = Memory(shape=8, depth=len(requests), init=requests)
        read = memory.read_port()
        at = Signal(range(len(requests) + 1))
        remaining = Signal(range(max(BYTE, self.vectors.timeout)), init=BYTE - 1)
        sends = Signal()  # a byte is sent in this cycle
        ends = Signal()
        last = Signal()  # the byte ends a frame; a register, because the memory answers late in its cycle
        m.d.sync += last.eq(read.data == FLAG)
        m.d.comb += [
            read.addr.eq(at),
            ends.eq(at == len(requests)),
            sends.eq((remaining == 0) & ~ends),
            self.o.payload.eq(Mux(self.done, self.i.payload, read.data)),
            self.o.valid.eq(Mux(self.done, self.i.valid, sends)),
            self.i.ready.eq(self.done & self.o.ready),
        ]
        with m.If(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        with m.Elif(~ends):
            m.d.sync += [at.eq(at + 1), remaining.eq(Mux(last, self.vectors.timeout - 1, BYTE - 1))]
        with m.Else():
            m.d.sync += self.done.eq(1)

        self._hide_levels(m)
        self._check(m)
        return m

    def _hide_levels(self, m: Module) -> None:
        word = Signal(range(LEVELS_WORD + 2))  # saturating
        hides = Signal()
        m.d.comb += [
            hides.eq(~self.done & (word == LEVELS_WORD)),
            self.words_o.valid.eq(self.words_i.valid),
            self.words_i.ready.eq(self.words_o.ready),
            self.words_o.payload.last.eq(self.words_i.payload.last),
            self.words_o.payload.word.eq(Mux(hides, 0, self.words_i.payload.word)),
        ]
        with m.If(self.words_o.valid & self.words_o.ready):
            m.d.sync += word.eq(Mux(self.words_o.payload.last, 0, word + (word != LEVELS_WORD + 1)))

    def _check(self, m: Module) -> None:
        m.submodules.crc = crc = CRC32_ISCSI(data_width=1).create()
        bits = Signal(9)  # remaining bits of the byte for the CRC, below a marker bit
        checking = Signal()
        m.d.comb += [
            checking.eq(bits[1:].any()),
            crc.valid.eq(checking),
            crc.data.eq(bits[0]),
            self.answer_o.payload.eq(self.answer_i.payload),
            self.answer_o.valid.eq(self.done & self.answer_i.valid),
            self.answer_i.ready.eq(Mux(self.done, self.answer_o.ready, ~checking)),
            self.passed.eq(self.done & (crc.crc == self.vectors.check)),
        ]
        with m.If(checking):
            m.d.sync += bits.eq(bits >> 1)
        with m.Elif(~self.done & self.answer_i.valid):
            m.d.sync += bits.eq(Cat(self.answer_i.payload, 1))
