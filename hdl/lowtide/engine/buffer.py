"""Operand buffer: chunks of a panel, in two banks that take turns."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.logic import mux

__all__ = ["NO_COLLISIONS", "OperandBuffer", "PingPongBanks"]

NO_COLLISIONS = {"no_rw_check": 1}
"""Attribute of a memory of which no word is used that is read in the cycle of its write: synthesis adds no bypass."""


class OperandBuffer(Unit):
    """Operand buffer: stores the chunks of an operand, and reads one chunk per vector and cycle: a beat of the array.

    Each vector of a panel has its own memory, and all memories are read at the same address. The buffer has two banks,
    so one operand is read while the next one is written. Word ``x`` of a bank is word ``x // slices`` of slice
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

    Members
    -------
    write : In(vectors)
        Write enable, one bit per vector.
    write_slices : In(slices)
        Write enable, one bit per slice; both bits of a memory must be high.
    write_bank : In(1)
        Bank to write.
    write_address : In(ArrayLayout(range(words // slices), slices))
        Address to write in each slice.
    i : In(slices * width)
        Chunk to write into each slice, slice 0 in the lowest bits.
    enable : In(1)
        Read enable. The last words stay while it is low.
    read_bank : In(1)
        Bank to read.
    read_address : In(range(words))
        Word to read.
    o : Out(vectors * width)
        Chunks, one cycle after the read, vector 0 in the lowest bits.
    """

    def __init__(self, vectors: int, width: int, words: int, slices: int = 1):
        self.vectors, self.width, self.words, self.slices = vectors, width, words, slices
        self.module_name = f"operand_buffer_{vectors}x{words}x{width}" + (f"_s{slices}" if slices > 1 else "")
        super().__init__(
            {
                "write": In(vectors),
                "write_slices": In(slices),
                "write_bank": In(1),
                "write_address": In(data.ArrayLayout(range(words // slices), slices)),
                "i": In(slices * width),
                "enable": In(1),
                "read_bank": In(1),
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
                    shape=self.width, depth=2 * self.words // self.slices, init=[], attrs=NO_COLLISIONS
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


class PingPongBanks(Unit):
    """Ping-pong banks: tracks the two banks of an operand buffer.

    Loading an operand occupies a bank. The bank becomes free when the first run with the next operand starts; until
    then further runs may reuse its operand.

    Members
    -------
    free : Out(1)
        High while an operand can be loaded.
    load : In(1)
        Pulses for one cycle when loading into bank ``write`` starts. Only while ``free`` is high.
    begins : In(1)
        Pulses for one cycle when the first run with a new operand starts.
    write : Out(1)
        Bank of the next operand to load.
    loaded : Out(1)
        Bank of the operand loaded last.
    """

    def __init__(self):
        self.module_name = "ping_pong_banks"
        super().__init__({"free": Out(1), "load": In(1), "begins": In(1), "write": Out(1), "loaded": Out(1)})

    def elaborate(self, platform):
        m = Module()
        taken = Signal(range(3))  # occupied banks, including the bank of a run
        used = Signal()
        m.d.comb += [self.free.eq(taken != 2), self.loaded.eq(~self.write)]
        m.d.sync += [taken.eq(taken + self.load - (self.begins & used)), used.eq(used | self.begins)]
        with m.If(self.load):
            m.d.sync += self.write.eq(~self.write)
        return m
