"""Frames: receiver and sender, which check and append the CRC."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.serial.protocol import ESCAPE, FLAG, FLIP
from lowtide.netlist import Unit

__all__ = ["FrameReceiver", "FrameSender", "HeaderLayout"]


class HeaderLayout(data.StructLayout):
    """First word of a frame.

    Members
    -------
    kind : 8 bits
        Code of the request; in an answer, with bit 7 set.
    length : 8 bits
        Words of the payload.
    number : 16 bits
        Sequence number of the request: the previous one plus one. An answer repeats the number of its request.
    """

    def __init__(self):
        super().__init__({"kind": 8, "length": 8, "number": 16})


class FrameReceiver(Unit):
    """Frame receiver: unpacks bytes into words and checks the CRC.

    A frame consists of a header, a payload, a CRC-32 and a flag. Header, payload and CRC are words, lowest byte first.
    The receiver sends each payload word on arrival, before the CRC is checked; the receiving queue must discard the
    words on ``frame_error``. A frame is valid if it has as many words as its header states and its CRC matches.

    Members
    -------
    i : In(stream of 8)
        Bytes, one per 9 cycles; none is accepted while a valid frame waits.
    header : Out(HeaderLayout())
        Header of the frame that arrives or waits.
    word : Out(32)
        Word of the payload.
    valid : Out(1)
        Pulses for one cycle with each word of the payload.
    last : Out(1)
        High with the last word of the payload.
    frame_ok : Out(1)
        High while a valid frame waits.
    done : In(1)
        Pulses for one cycle to release the frame.
    frame_error : Out(1)
        Pulses for one cycle when the words since the last valid frame are no valid frame.
    """

    module_name = "frame_receiver"

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "header": Out(HeaderLayout()),
                "word": Out(32),
                "valid": Out(1),
                "last": Out(1),
                "frame_ok": Out(1),
                "done": In(1),
                "frame_error": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=1).create()
        escaped = Signal()
        word = Signal(32)  # the last four bytes
        position = Signal(2)  # bytes of the current word
        words = Signal(9)  # received words, saturating
        bits = Signal(9)  # remaining bits of the byte for the CRC, below a marker bit
        checking = Signal()
        m.d.comb += [
            checking.eq(bits[1:].any()),
            crc.valid.eq(checking),
            crc.data.eq(bits[0]),
            self.i.ready.eq(~checking & ~self.frame_ok),
            self.word.eq(word),
        ]
        with m.If(checking):
            m.d.sync += bits.eq(bits >> 1)

        # A word is complete when the CRC has its last byte: by then the header is known.
        complete = Signal()
        m.d.comb += [
            complete.eq((bits[1:] == 1) & (position == 0)),
            self.valid.eq(complete & (words != 0) & (words <= self.header.length)),
            self.last.eq(words == self.header.length),
        ]
        with m.If(complete):
            m.d.sync += words.eq(words + ~words.all())
            with m.If(words == 0):
                m.d.sync += self.header.eq(word)

        ends = Signal()
        right = Signal()
        m.d.comb += right.eq(crc.match_detected & ~escaped & (position == 0) & (words == self.header.length + 2))
        with m.If(self.i.valid & self.i.ready):
            with m.If(self.i.payload == FLAG):
                m.d.comb += ends.eq(1)
            with m.Elif((self.i.payload == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Else():
                flipped = self.i.payload ^ (escaped << FLIP.bit_length() - 1)
                m.d.sync += [
                    escaped.eq(0),
                    position.eq(position + 1),
                    word.eq(Cat(word[8:], flipped[:8])),
                    bits.eq(Cat(flipped[:8], 1)),
                ]
        with m.If(ends):
            m.d.comb += [self.frame_error.eq(~right), crc.start.eq(1)]
            m.d.sync += [self.frame_ok.eq(right), escaped.eq(0), position.eq(0), words.eq(0)]
        with m.If(self.frame_ok & self.done):
            m.d.sync += self.frame_ok.eq(0)
        return m


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
