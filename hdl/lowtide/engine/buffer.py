"""Operand buffer: chunks of operands, in two banks or more."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.logic import mux

__all__ = ["NO_COLLISIONS", "OperandBuffer"]

NO_COLLISIONS = {"no_rw_check": 1}
"""Attribute of a memory of which no word is used that is read in the cycle of its write: synthesis adds no bypass."""


class OperandBuffer(Unit):
    """Operand buffer: stores the chunks of an operand, and reads one chunk per vector and cycle: a beat of the array.

    Each vector of a panel has its own memory, and all memories are read at the same address. The buffer has two banks
    or more, so one operand is read while the next one is written. Word ``x`` of a bank is word ``x // slices`` of slice
    ``x mod slices``: each slice is a memory, so that as many words can be written at once.

    Parameters
    ----------
    vectors : int
        Vectors per panel: rows or columns of the array.
    width : int
        Width of a chunk in bits.
    words : int
        Words per bank.
    slices : int
        Slices of a vector's memory, a power of two that divides ``words``.
    banks : int
        Banks, a power of two.

    Members
    -------
    write : In(vectors)
        Write enable, one bit per vector.
    write_slices : In(slices)
        Write enable, one bit per slice; both bits of a memory must be high.
    write_bank : In(range(banks))
        Bank to write.
    write_address : In(ArrayLayout(range(words // slices), slices))
        Address to write in each slice.
    i : In(slices * width)
        Chunk to write into each slice, slice 0 in the lowest bits.
    enable : In(1)
        Read enable. The last words stay while it is low.
    read_bank : In(range(banks))
        Bank to read.
    read_address : In(range(words))
        Word to read.
    o : Out(vectors * width)
        Chunks, one cycle after the read, vector 0 in the lowest bits.
    """

    def __init__(self, vectors: int, width: int, words: int, slices: int = 1, banks: int = 2):
        self.vectors, self.width, self.words, self.slices, self.banks = vectors, width, words, slices, banks
        self.module_name = (
            f"operand_buffer_{vectors}x{words}x{width}"
            + (f"_s{slices}" if slices > 1 else "")
            + (f"_b{banks}" if banks > 2 else "")
        )
        super().__init__(
            {
                "write": In(vectors),
                "write_slices": In(slices),
                "write_bank": In(range(banks)),
                "write_address": In(data.ArrayLayout(range(words // slices), slices)),
                "i": In(slices * width),
                "enable": In(1),
                "read_bank": In(range(banks)),
                "read_address": In(range(words)),
                "o": Out(vectors * width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits = (self.slices - 1).bit_length()
        selected = Signal(range(self.slices))  # slice of the word read last
        with m.If(self.enable):
            m.d.sync += selected.eq(self.read_address[:bits])
        chunks = []
        for vector in range(self.vectors):
            words = []
            for n in range(self.slices):
                m.submodules[f"vector_{vector}_slice_{n}" if self.slices > 1 else f"vector_{vector}"] = memory = Memory(
                    shape=self.width, depth=self.banks * self.words // self.slices, init=[], attrs=NO_COLLISIONS
                )
                write, read = memory.write_port(), memory.read_port()
                m.d.comb += [
                    write.en.eq(self.write[vector] & self.write_slices[n]),
                    write.addr.eq(Cat(self.write_address[n], self.write_bank)),
                    write.data.eq(self.i.word_select(n, self.width)),
                    read.en.eq(self.enable),
                    read.addr.eq(Cat(self.read_address[bits:], self.read_bank)),
                ]
                words.append(read.data)
            chunks.append(mux(words, selected))
        m.d.comb += self.o.eq(Cat(chunks))
        return m
