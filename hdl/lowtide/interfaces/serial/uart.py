"""UART: receiver and transmitter with a start bit, eight data bits, lowest first, and a stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["DIVISOR", "UartReceiver", "UartTransmitter"]

DIVISOR = 16
"""Width of a divisor in bits."""


class UartReceiver(Unit):
    """UART receiver: receives bytes. A byte whose stop bit is low is dropped.

    Members
    -------
    rx : In(1)
        Serial input, asynchronous.
    baud_divisor : In(DIVISOR)
        Clock cycles per bit, at least 4.
    valid : Out(1)
        Pulses for one cycle in the middle of the stop bit of each byte.
    data : Out(8)
        Byte. Valid while ``valid`` is high.
    """

    module_name = "uart_receiver"

    def __init__(self):
        super().__init__({"rx": In(1), "baud_divisor": In(DIVISOR), "valid": Out(1), "data": Out(8)})

    def elaborate(self, platform):
        m = Module()
        level = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, level, init=1, reset_less=False)
        busy = Signal()
        starts = Signal()  # the arriving bit is the start bit
        remaining = Signal(DIVISOR)  # cycles to the middle of the next bit
        bits = Signal(9)  # a one marks how many have come
        m.d.comb += [starts.eq(bits.all()), self.data.eq(bits[1:])]
        m.d.comb += self.valid.eq(busy & (remaining == 0) & ~bits[0] & level)
        with m.If(~busy):
            m.d.sync += [busy.eq(~level), remaining.eq((self.baud_divisor >> 1) - 1), bits.eq(-1)]
        with m.Elif(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        with m.Else():
            m.d.sync += [remaining.eq(self.baud_divisor - 1), bits.eq(Cat(bits[1:], level))]
            with m.If(starts):
                m.d.sync += [busy.eq(~level), bits.eq(Const(0b0_1111_1111))]
            with m.Elif(~bits[0]):  # this was the stop bit
                m.d.sync += busy.eq(0)
        return m


class UartTransmitter(Unit):
    """UART transmitter: sends bytes.

    Members
    -------
    i : In(stream of 8)
        Bytes. The next byte is accepted at the latest in the cycle in which the stop bit of the last one ends.
    baud_divisor : In(DIVISOR)
        Clock cycles per bit.
    tx : Out(1)
        Serial output.
    idle : Out(1)
        High while no byte is being sent.
    """

    module_name = "uart_transmitter"

    def __init__(self):
        super().__init__(
            {"i": In(stream.Signature(8)), "baud_divisor": In(DIVISOR), "tx": Out(1, init=1), "idle": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        remaining = Signal(DIVISOR)
        bits = Signal(9)  # remaining bits, the stop bit last
        ends = Signal()
        m.d.comb += [
            ends.eq(remaining == 0),
            self.idle.eq(~bits.any() & ends),
            self.i.ready.eq(~bits.any() & ends),
        ]
        with m.If(~ends):
            m.d.sync += remaining.eq(remaining - 1)
        with m.Elif(bits.any()):
            m.d.sync += [self.tx.eq(bits[0]), remaining.eq(self.baud_divisor - 1), bits.eq(bits[1:])]
        with m.Elif(self.i.valid):
            m.d.sync += [self.tx.eq(0), remaining.eq(self.baud_divisor - 1), bits.eq(Cat(self.i.payload, Const(1)))]
        return m
