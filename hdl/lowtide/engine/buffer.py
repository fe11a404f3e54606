"""Operand buffer: the chunks of a panel's lines, one of each line in a cycle."""

from amaranth.hdl import Cat, Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["OperandBuffer"]


class OperandBuffer(Unit):
    """A memory for each line, all read at one address: a beat of an operand, as the array takes it.

    It holds two operands, one in each bank: one is read while the other is written.

    Parameters
    ----------
    lines : int
        Lines of a panel, rows or columns of the array.
    width : int
        Bits of a chunk.
    words : int
        Words of a bank.

    Members
    -------
    write : In(lines)
        A bit for each line that is written.
    write_bank, write_address, i : In(1), In(range(words)), In(width)
        Where, and what.
    enable : In(1)
        Read; without, the last words stay.
    read_bank, read_address : In(1), In(range(words))
        Where from.
    o : Out(lines * width)
        The words, a cycle later, line 0 in the lowest bits.
    """

    def __init__(self, lines: int, width: int, words: int):
        self.lines, self.width, self.words = lines, width, words
        self.module_name = f"operand_buffer_{lines}x{words}x{width}"
        super().__init__(
            {
                "write": In(lines),
                "write_bank": In(1),
                "write_address": In(range(words)),
                "i": In(width),
                "enable": In(1),
                "read_bank": In(1),
                "read_address": In(range(words)),
                "o": Out(lines * width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words = []
        for line in range(self.lines):
            m.submodules[f"line_{line}"] = memory = Memory(shape=self.width, depth=2 * self.words, init=[])
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                write.en.eq(self.write[line]),
                write.addr.eq(Cat(self.write_address, self.write_bank)),
                write.data.eq(self.i),
                read.en.eq(self.enable),
                read.addr.eq(Cat(self.read_address, self.read_bank)),
            ]
            words.append(read.data)
        m.d.comb += self.o.eq(Cat(words))
        return m
