"""Random bits without a generator: those of the neighbours' data."""

from functools import reduce
from operator import xor

import attrs
from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit

__all__ = ["Neighbour", "NeighbourSource"]


@attrs.frozen(kw_only=True)
class Neighbour:
    """What a source that takes its bits from data is generated for.

    Parameters
    ----------
    lanes : int
        Lanes, more than there are neighbours.
    width : int
        Bits of a word, ``r``.
    neighbours : int
        Lanes that a word is made of. One is wiring alone; two or three are XORed, which brings bits nearer to even
        odds.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or a lane would be its own neighbour.
    """

    lanes: int = parameter(16, range(2, 1025), "lanes served")
    width: int = parameter(3, range(1, 25), "bits of a word")
    neighbours: int = parameter(1, range(1, 4), "lanes whose bits are XORed to a word, fewer than there are lanes")

    def __attrs_post_init__(self):
        if self.neighbours >= self.lanes:
            raise IllegalValue(
                "neighbours", f"from 1 to {self.lanes - 1} (fewer than lanes = {self.lanes})", self.neighbours
            )


class NeighbourSource(Unit):
    """Gives each lane a word made of the data of the lanes after it, the first following on the last.

    Bit j of the word of lane l is the XOR over k from 1 to ``neighbours`` of bit j of the data of lane
    ``(l + k) mod lanes``, that data read backwards for even k: so the same data in both do not cancel. Wiring, and a
    look-up table a bit if there are two or three. Combinational, without state: equal data are always rounded alike.

    What is given as data should be the bits that vary most and mean least, the lowest of a significand. Bits that
    are always zero, as in values that were rounded before, give words that never round up. Source: the sibling of ESRU
    that takes its bits from a network's own data, without a generator.

    Parameters
    ----------
    shape : Neighbour
        Its lanes, words and neighbours.

    Members
    -------
    data : In(lanes * width)
        Low-order bits of each lane's data, lane 0 in the lowest bits.
    words : Out(lanes * width)
        A word for each lane, likewise.
    """

    data: Value
    words: Value

    def __init__(self, shape: Neighbour):
        self.shape = shape
        self.module_name = f"neighbour_source_l{shape.lanes}_r{shape.width}_n{shape.neighbours}"
        super().__init__({"data": In(shape.lanes * shape.width), "words": Out(shape.lanes * shape.width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.words.eq(Cat(self._word(lane) for lane in range(self.shape.lanes)))
        return m

    def _word(self, lane: int) -> Value:
        words = []
        for k in range(1, self.shape.neighbours + 1):
            data = self.data.word_select((lane + k) % self.shape.lanes, self.shape.width)
            words.append(data if k % 2 else data[::-1])
        return reduce(xor, words)
