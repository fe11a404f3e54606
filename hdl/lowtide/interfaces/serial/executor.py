"""Executor: executes each request once and sends the answer."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.serial.frames import HeaderLayout
from lowtide.interfaces.serial.params import SerialParams
from lowtide.interfaces.serial.protocol import CONSTANTS, LEVELS, MAGIC, STATUSES, VERSION, WORDS, code_of
from lowtide.interfaces.serial.queues import POSITION, OperandWord
from lowtide.interfaces.serial.uart import DIVISOR
from lowtide.netlist import Unit

__all__ = ["Executor"]

DONE, BUSY, ORDER, REFUSED = range(len(STATUSES))


class Executor(Unit):
    """Executor: accepts a valid frame, executes it if its number is next in sequence, and sends the answer.

    Parameters
    ----------
    params : SerialParams
        Clock, baud rate and queues.
    registers : int
        Registers of the engine.
    digest : int
        64 bits that identify the configuration to a host.
    addends : bool
        Whether the engine takes addends.

    Members
    -------
    header : In(HeaderLayout())
        Header of the frame.
    word : In(32)
        Word of the payload.
    valid : In(1)
        Pulses for one cycle with each word of the payload.
    last : In(1)
        High with the last word of the payload.
    frame_ok : In(1)
        High while a valid frame waits.
    done : Out(1)
        Pulses for one cycle to release the frame.
    frame_error : In(1)
        Pulses for one cycle when the words since the last valid frame are no valid frame.
    operand : Out(OperandWord(addends))
        Number of an operand.
    write_operand : Out(1)
        Pulses for one cycle to write ``operand`` into the operand queue.
    commit : Out(1)
        Pulses for one cycle to commit the written numbers.
    discard : Out(1)
        Pulses for one cycle to discard the numbers that are not committed.
    overflow : In(1)
        High after a number was lost because the operand queue was full.
    free : In(range(params.queue + 1))
        Free words of the operand queue.
    position : Out(POSITION)
        Position of the result to read.
    received : Out(POSITION)
        Position up to which the host has received the results.
    oldest : In(POSITION)
        Position of the oldest stored result.
    legal : In(1)
        High if ``received`` is the position of a stored result or of the next one.
    available : In(range(params.queue + 1))
        Number of stored results from ``position`` on.
    discard_results : Out(1)
        Pulses for one cycle to discard the results before ``received``.
    result : In(32)
        Result at ``position``, one cycle later.
    address : Out(range(registers))
        Number of a register.
    write : Out(1)
        Pulses for one cycle to write the register.
    write_data : Out(32)
        Data to write.
    read_data : In(32)
        Content of the register, one cycle after ``address``.
    o : Out(stream of {"word": 32, "last": 1})
        Words of answers, the header first.
    sender_idle : In(1)
        High while the frame sender is idle.
    transmitter_idle : In(1)
        High while the transmitter is idle.
    baud_divisor : Out(16)
        Clock cycles per bit.
    reset : Out(1)
        Pulses for one cycle to reset all state of an earlier connection.
    """

    def __init__(self, params: SerialParams, registers: int, digest: int, addends: bool = False):
        self.params, self.registers, self._digest, self._addends = params, registers, digest, addends
        self.module_name = (
            f"executor_{params.clock}_{params.baud}_{params.queue}_{registers}_{digest:016x}" + "_addends" * addends
        )
        level = range(params.queue + 1)
        super().__init__(
            {
                "header": In(HeaderLayout()),
                "word": In(32),
                "valid": In(1),
                "last": In(1),
                "frame_ok": In(1),
                "done": Out(1),
                "frame_error": In(1),
                "operand": Out(OperandWord(addends)),
                "write_operand": Out(1),
                "commit": Out(1),
                "discard": Out(1),
                "overflow": In(1),
                "free": In(level),
                "position": Out(POSITION),
                "received": Out(POSITION),
                "oldest": In(POSITION),
                "legal": In(1),
                "available": In(level),
                "discard_results": Out(1),
                "result": In(32),
                "address": Out(range(registers)),
                "write": Out(1),
                "write_data": Out(32),
                "read_data": In(32),
                "o": Out(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
                "sender_idle": In(1),
                "transmitter_idle": In(1),
                "baud_divisor": Out(DIVISOR, init=params.divisor),
                "reset": Out(1, init=1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kind, number = self.header.kind, self.header.number
        # The last two words of the payload.
        first = Signal(32)
        second = Signal(32)
        with m.If(self.valid):
            m.d.sync += [first.eq(second), second.eq(self.word)]
        count = second[:8]
        is_ = {name: kind == code_of(name) for name in ("hello", "read", "write", "read_results", "set_baud")}
        loads = Signal()
        load, side = kind[2:] == code_of("load_a") >> 2, kind[0]
        if self._addends:
            load |= (kind == code_of("load_d")) | (kind == code_of("last_d"))
            side = Cat(kind[0], kind[2])
        m.d.comb += [
            loads.eq(load),
            self.operand.number.eq(self.word),
            self.operand.last.eq(self.last & kind[1]),
            self.operand.side.eq(side),
            self.write_operand.eq(self.valid & loads),
        ]

        expected = Signal(16)
        status = Signal(range(len(STATUSES)))
        allowed = Signal()
        m.d.comb += self._allowed(allowed, is_, loads, first, second)
        with m.If((number != expected) & ~is_["hello"]):
            m.d.comb += status.eq(ORDER)
        with m.Elif(~allowed):
            m.d.comb += status.eq(REFUSED)
        with m.Elif(loads & self.overflow):
            m.d.comb += status.eq(BUSY)

        became = Signal.like(status)
        left = Signal(range(WORDS + 1))  # remaining words of the answer after the common ones
        switches = Signal()  # set the baud rate after the answer
        m.d.comb += self.discard.eq(self.frame_error)
        m.d.sync += self.reset.eq(0)
        with m.FSM():
            with m.State("wait"), m.If(self.frame_ok):
                m.next = "check"
            with m.State("check"):  # register the status, one cycle for its logic
                m.d.sync += became.eq(status)
                m.next = "execute"
            with m.State("execute"):
                does = became == DONE
                m.d.comb += [
                    self.commit.eq(loads & does),
                    self.discard.eq(~self.commit),
                    self.discard_results.eq(is_["read_results"] & does),
                    self.write.eq(is_["write"] & does),
                ]
                m.d.sync += left.eq(0)
                with m.If(does):
                    m.d.sync += [
                        expected.eq(number + 1),
                        self.reset.eq(is_["hello"]),
                        switches.eq(is_["set_baud"]),
                        left.eq(self._content(is_, count)),
                    ]
                m.next = "header"
            with m.State("header"):
                self._send(m, Cat(kind[:7], 1, (left + LEVELS)[:8], number), "status")
            with m.State("status"):
                self._send(m, Cat(became, Const(0, 16 - len(became)), expected), "levels")
            with m.State("levels"):
                free = Cat(self.free, Const(0, 16 - len(self.free)))
                self._send(m, Cat(free, self.available), "fetch", last=left == 0, after_last="end")
            with m.State("fetch"):  # read delay of registers and memories
                m.next = "content"
            with m.State("content"):
                word = Mux(is_["read"], self.read_data, Mux(is_["read_results"], self.result, self._hello(left)))
                self._send(m, word, "fetch", last=left == 1, after_last="end")
                with m.If(self.o.ready):
                    m.d.sync += [left.eq(left - 1), first[:POSITION].eq(first[:POSITION] + 1)]
            with m.State("end"), m.If((self.sender_idle & self.transmitter_idle) | ~switches):
                m.d.comb += self.done.eq(1)
                m.d.sync += switches.eq(0)
                m.next = "wait"
        m.d.comb += [
            self.address.eq(first),
            self.write_data.eq(second),
            self.position.eq(Mux(is_["read_results"], first[:POSITION], self.oldest)),
            self.received.eq(first[POSITION:]),
        ]
        self._set_baud(m, switches & self.done, first[:DIVISOR])
        return m

    def _allowed(self, allowed, is_, loads, first, second):
        """Evaluate whether a request is legal, apart from its sequence number."""
        counts = (second != 0) & (second <= WORDS - LEVELS)
        there = (first < self.registers) & (first[:16] + second[:8] <= self.registers)
        return allowed.eq(
            (self.header.length == 2)
            & (
                is_["hello"]
                | (is_["read"] & counts & there)
                | (is_["write"] & (first < self.registers))
                | (is_["read_results"] & counts & self.legal)
                | (is_["set_baud"] & ~first[DIVISOR:].any() & first[2:].any())
            )
            | (loads & (self.header.length != 0))
        )

    def _content(self, is_, count):
        results = Mux(self.available < count, self.available, count)
        return Mux(is_["hello"], len(CONSTANTS), 0) | Mux(is_["read"], count, 0) | Mux(is_["read_results"], results, 0)

    def _hello(self, left: Value) -> Value:
        """Return the constant of which ``left`` remain, itself included."""
        params, digest = self.params, self._digest
        words = {
            "magic": MAGIC,
            "version": VERSION,
            "clock": params.clock,
            "divisor": params.divisor,
            "queue": params.queue,
            "digest": digest & 0xFFFFFFFF,
            "digest_high": digest >> 32,
        }
        return Array([Const(0, 32), *(Const(words[name], 32) for name in reversed(CONSTANTS))])[left[:3]]

    def _send(self, m: Module, word: Value, after: str, last: Value | int = 0, after_last: str = "") -> None:
        m.d.comb += [self.o.valid.eq(1), self.o.payload.word.eq(word), self.o.payload.last.eq(last)]
        with m.If(self.o.ready):
            m.next = after
            if after_last:
                with m.If(last):
                    m.next = after_last

    def _set_baud(self, m: Module, switches: Value, divisor: Value) -> None:
        """Set a new baud rate; restore the initial one after a timeout without a valid frame."""
        waited = Signal(range(self.params.timeout + 1))
        m.d.sync += waited.eq(Mux(self.frame_ok, 0, waited + 1))
        with m.If(switches):
            m.d.sync += self.baud_divisor.eq(divisor)
        with m.Elif(waited == self.params.timeout):
            m.d.sync += [self.baud_divisor.eq(self.params.divisor), waited.eq(0)]
