"""Queues of a serial engine: operands until their frame is valid, results until the host acknowledges them."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.logic import mux

__all__ = ["POSITION", "OperandQueue", "OperandWord", "ResultQueue"]


class OperandWord(data.StructLayout):
    """Number of an operand, or an addend.

    Parameters
    ----------
    addends : bool
        Whether the engine takes addends.

    Members
    -------
    number : 32 bits
        FP32 number.
    last : 1 bit
        1: the last number of the operand.
    side : 1 bit, or 2 bits with ``addends``
        0: operand A. 1: operand B. 2: addends.
    """

    def __init__(self, addends: bool = False):
        super().__init__({"number": 32, "last": 1, "side": 2 if addends else 1})


class OperandQueue(Unit):
    """Operand queue: stores numbers, and sends them to the engine only after they are committed by ``commit``.

    Parameters
    ----------
    words : int
        Depth, a power of two.
    addends : bool
        Whether the engine takes addends.

    Members
    -------
    i : In(OperandWord(addends))
        Number to write.
    write_operand : In(1)
        Pulses for one cycle to write ``i``. If the queue is full, the number is lost, and ``commit`` is not allowed.
    commit : In(1)
        Pulses for one cycle to commit the written numbers. Not with ``write_operand``.
    discard : In(1)
        Pulses for one cycle to discard the numbers that are not committed. Not with ``write_operand``.
    overflow : Out(1)
        High after a number was lost, until ``commit`` or ``discard``.
    free : Out(range(words + 1))
        Free words.
    a, b : Out(stream of {"number": 32, "last": 1})
        Committed numbers in order: numbers of A wait for earlier numbers of B.
    d : Out(stream of {"number": 32, "last": 1})
        Committed addends in order; only with ``addends``.
    """

    def __init__(self, words: int, addends: bool = False):
        self.words, self.names = words, ("a", "b", "d") if addends else ("a", "b")
        self._word = OperandWord(addends)
        self.module_name = f"operand_queue_{words}" + "_addends" * addends
        side = stream.Signature(data.StructLayout({"number": 32, "last": 1}))
        super().__init__(
            {
                "i": In(self._word),
                "write_operand": In(1),
                "commit": In(1),
                "discard": In(1),
                "overflow": Out(1),
                "free": Out(range(words + 1)),
                **{name: Out(side) for name in self.names},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=self._word.size, depth=self.words, init=[])
        write, read = memory.write_port(), memory.read_port()
        # Positions have one bit more than addresses, to tell full from empty.
        written = Signal(range(2 * self.words))
        committed = Signal.like(written)
        read_position = Signal.like(written)  # read from memory
        # A memory has a long read delay, so its words are registered before use.
        fetched = Signal()  # the memory output is valid
        output_valid = Signal()  # the register is valid
        word = Signal(self._word, reset_less=True)
        passes = Signal()
        fetch = Signal()
        takes = Signal()
        outputs = [getattr(self, name) for name in self.names]
        if len(outputs) == 2:
            chosen_by = [~word.side, word.side]
        else:
            chosen_by = [word.side == n for n in range(len(outputs))]
        m.d.comb += [
            self.free.eq(self.words - (written - read_position)[: len(read_position)]),
            write.en.eq(self.write_operand & (self.free != 0)),
            write.addr.eq(written),
            write.data.eq(self.i),
            read.addr.eq(read_position),
            read.en.eq(fetch),
            fetch.eq((read_position != committed) & (~fetched | passes)),
            passes.eq(fetched & (~output_valid | takes)),
            takes.eq(mux([o.ready for o in outputs], word.side)),
            *(o.valid.eq(output_valid & chosen) for o, chosen in zip(outputs, chosen_by, strict=True)),
            *(Cat(o.payload.number, o.payload.last).eq(Cat(word.number, word.last)) for o in outputs),
        ]
        with m.If(self.write_operand):
            m.d.sync += [written.eq(written + write.en), self.overflow.eq(self.overflow | ~write.en)]
        with m.If(self.commit):
            m.d.sync += committed.eq(written)
        with m.If(self.discard):
            m.d.sync += written.eq(committed)
        with m.If(self.commit | self.discard):
            m.d.sync += self.overflow.eq(0)
        m.d.sync += [fetched.eq(fetch | (fetched & ~passes)), output_valid.eq(passes | (output_valid & ~takes))]
        with m.If(passes):
            m.d.sync += word.eq(read.data)
        with m.If(fetch):
            m.d.sync += read_position.eq(read_position + 1)
        return m


POSITION = 16
"""Width of a position in bits."""


class ResultQueue(Unit):
    """Result queue: stores the results of an engine; each has a position, which counts from reset and wraps at 2^16.

    Parameters
    ----------
    words : int
        Depth, a power of two below 2^16.

    Members
    -------
    i : In(stream of 32)
        Results. Space that ``discard`` frees is available two cycles later.
    position : In(POSITION)
        Position of the result to read.
    received : In(POSITION)
        Position up to which results may be discarded.
    oldest : Out(POSITION)
        Position of the oldest stored result, or of the next one.
    legal : Out(1)
        High if ``received`` is the position of a stored result or of the next one; one cycle after ``received``.
    available : Out(range(words + 1))
        Number of stored results from ``position`` on, 0 if that one is not stored; one cycle after ``position``.
    discard : In(1)
        Pulses for one cycle to discard the results before ``received``. Only if ``received`` is legal.
    word : Out(32)
        Result at ``position``, one cycle later.
    """

    def __init__(self, words: int):
        self.words = words
        self.module_name = f"result_queue_{words}"
        super().__init__(
            {
                "i": In(stream.Signature(32)),
                "position": In(POSITION),
                "received": In(POSITION),
                "oldest": Out(POSITION),
                "legal": Out(1),
                "available": Out(range(words + 1)),
                "discard": In(1),
                "word": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=self.words, init=[])
        write, read = memory.write_port(), memory.read_port()
        next_one = Signal(POSITION)
        from_here = Signal(POSITION)
        stored = Signal(POSITION)
        full = Signal()  # a register, to keep the subtraction off the write path
        m.d.comb += [
            self.i.ready.eq(~full),
            write.en.eq(self.i.valid & ~full),
            write.addr.eq(next_one),
            write.data.eq(self.i.payload),
            read.addr.eq(self.position),
            read.en.eq(1),
            self.word.eq(read.data),
            from_here.eq(next_one - self.position),
            stored.eq(next_one - self.oldest),
        ]
        m.d.sync += [
            full.eq(Mux(write.en, stored == self.words - 1, stored == self.words)),
            next_one.eq(next_one + write.en),
            self.available.eq(Mux(from_here <= stored, from_here, 0)),
            self.legal.eq((next_one - self.received)[:POSITION] <= stored),
        ]
        with m.If(self.discard):
            m.d.sync += self.oldest.eq(self.received)
        return m
