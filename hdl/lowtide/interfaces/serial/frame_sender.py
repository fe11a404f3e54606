"""Frame sender: packs words into bytes, and appends a CRC and a flag."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.serial.protocol import ESCAPE, FLAG, FLIP
from lowtide.netlist import Unit

__all__ = ["FrameSender"]


class FrameSender(Unit):
    """Frame sender: sends words as a frame of bytes, lowest byte first, with a CRC-32, byte stuffing, and a flag.

    Members
    -------
    i : In(stream of {"word": 32, "last": 1})
        Words of a frame, the header first.
    o : Out(stream of 8)
        Bytes, one per 9 cycles.
    idle : Out(1)
        High while no frame is being sent.
    """

    module_name = "frame_sender"

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
                "o": Out(stream.Signature(8)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=1).create()
        word = Signal(32)  # the next byte is the lowest
        left = Signal(2)  # bytes of the word after the next one
        last = Signal()  # the word is the last before the CRC
        check = Signal()  # the word is the CRC
        escaped = Signal()  # the escape before the byte was sent
        begun = Signal()
        bits = Signal(9)  # remaining bits of the byte for the CRC, below a marker bit
        checking = Signal()
        special = Signal()
        m.d.comb += [
            checking.eq(bits[1:].any()),
            crc.valid.eq(checking),
            crc.data.eq(bits[0]),
            special.eq((word[:8] == FLAG) | (word[:8] == ESCAPE)),
            self.idle.eq(~begun),
        ]
        with m.If(checking):
            m.d.sync += bits.eq(bits >> 1)

        with m.FSM():
            with m.State("word"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [word.eq(self.i.payload.word), last.eq(self.i.payload.last), left.eq(3)]
                with m.If(self.i.valid):
                    m.d.sync += begun.eq(1)
                    m.next = "bytes"
            with m.State("bytes"):
                escape = Signal()
                m.d.comb += [
                    escape.eq(special & ~escaped),
                    self.o.valid.eq(~checking),
                    self.o.payload.eq(Mux(escape, ESCAPE, word[:8] ^ (escaped << FLIP.bit_length() - 1))),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += escaped.eq(escape)
                    with m.If(~escape):
                        m.d.sync += [word.eq(word >> 8), left.eq(left - 1), bits.eq(Cat(word[:8], 1))]
                        with m.If(left == 0):
                            with m.If(check):
                                m.next = "flag"
                            with m.Elif(last):
                                m.next = "check"
                            with m.Else():
                                m.next = "word"
            with m.State("check"):
                m.d.sync += [word.eq(crc.crc), left.eq(3), check.eq(1)]
                with m.If(~checking):
                    m.next = "bytes"
            with m.State("flag"):
                m.d.comb += [self.o.valid.eq(~checking), self.o.payload.eq(FLAG)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.comb += crc.start.eq(1)
                    m.d.sync += [begun.eq(0), check.eq(0)]
                    m.next = "word"
        return m
