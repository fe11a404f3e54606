"""Group memory: stores the data of a group while the terms of its weights arrive."""

from amaranth.hdl import Cat, Module, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.units.logic import mux

__all__ = ["GroupMemory"]


class GroupMemory(wiring.Component):
    """Group memory: two banks of a group each; one is read in any order while the other is written.

    Where look-up tables can be memories, a bit takes one table or less, which includes the storage, the two banks, and
    the multiplexer. A word can be read from the cycle after its write on.

    Parameters
    ----------
    shape : Shape
        Shape of a word.
    words : int
        Words written per cycle, a power of two: each has its own memory.
    slots : int
        Cycles to write a group.
    reads : int
        Words read per cycle.

    Members
    -------
    write : In(1)
        High while words are written.
    write_bank, slot : In(1), In((slots - 1).bit_length())
        Bank and slot that words are written to.
    i : In(words * shape.width)
        Words to write: word ``j`` becomes word ``slot * words + j`` of the group.
    read_bank : In(1)
        Bank that words are read from.
    index : In(reads * ((slots - 1).bit_length() + (words - 1).bit_length()))
        Index of the word of each read, read 0 in the lowest bits.
    o : Out(reads * shape.width)
        Word of each read, in the cycle of its index, read 0 in the lowest bits.
    """

    def __init__(self, shape: Shape, words: int, slots: int, reads: int = 1):
        self._width, self._words, self._slots, self._reads = shape.width, words, slots, reads
        self._slot_bits = (slots - 1).bit_length()
        self._index_bits = self._slot_bits + (words - 1).bit_length()
        super().__init__(
            {
                "write": In(1),
                "write_bank": In(1),
                "slot": In(self._slot_bits),
                "i": In(words * self._width),
                "read_bank": In(1),
                "index": In(reads * self._index_bits),
                "o": Out(reads * self._width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        found = [[] for _ in range(self._reads)]
        for j in range(self._words):
            m.submodules[f"words_{j}"] = memory = Memory(shape=self._width, depth=2 << self._slot_bits, init=[])
            write = memory.write_port()
            m.d.comb += [
                write.en.eq(self.write),
                write.addr.eq(Cat(self.slot, self.write_bank)),
                write.data.eq(self.i.word_select(j, self._width)),
            ]
            for n in range(self._reads):
                read = memory.read_port(domain="comb")
                m.d.comb += read.addr.eq(
                    Cat(self._index(n)[-self._slot_bits :] if self._slot_bits else [], self.read_bank)
                )
                found[n].append(read.data)
        low = (self._words - 1).bit_length()
        m.d.comb += [
            self.o.word_select(n, self._width).eq(mux(words, self._index(n)[:low])) for n, words in enumerate(found)
        ]
        return m

    def _index(self, n: int) -> Value:
        return self.index[n * self._index_bits : (n + 1) * self._index_bits]
