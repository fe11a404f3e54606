"""Random bits without a generator: those of the neighbors' data."""

from functools import reduce
from operator import xor

import attrs
from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit

__all__ = ["Neighbor", "NeighborSource"]


@attrs.frozen(kw_only=True)
class Neighbor:
    """What a source that takes its bits from data is generated for.

    Parameters
    ----------
    lanes : int
        Lanes, more than there are neighbors.
    width : int
        Bits of a word, ``r``.
    neighbors : int
        Lanes that a word is made of. One is wiring alone; two or three are XORed, which brings bits nearer to even
        odds.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or a lane would be its own neighbor.
    """

    lanes: int = parameter(16, range(2, 1025), "lanes served")
    width: int = parameter(3, range(1, 25), "bits of a word")
    neighbors: int = parameter(1, range(1, 4), "lanes whose bits are XORed to a word, fewer than there are lanes")

    def __attrs_post_init__(self):
        if self.neighbors >= self.lanes:
            raise IllegalValue(
                "neighbors", f"from 1 to {self.lanes - 1} (fewer than lanes = {self.lanes})", self.neighbors
            )


class NeighborSource(Unit):
    """Gives each lane a word made of the data of the lanes after it, the first following on the last.

    Bit j of the word of lane l is the XOR over k from 1 to ``neighbors`` of bit j of the data of lane
    ``(l + k) mod lanes``, that data read backwards for even k: so the same data in both do not cancel. Wiring, and a
    look-up table a bit if there are two or three. Combinational, without state: equal data are always rounded alike.

    What is given as data should be the bits that vary most and mean least, the lowest of a significand. Bits that
    are always zero, as in values that were rounded before, give words that never round up. Source: the sibling of ESRU
    that takes its bits from a network's own data, without a generator.

    Parameters
    ----------
    params : Neighbor
        Its lanes, words and neighbors.

    Members
    -------
    data : In(lanes * width)
        Low-order bits of each lane's data, lane 0 in the lowest bits.
    words : Out(lanes * width)
        A word for each lane, likewise.
    """

    def __init__(self, params: Neighbor):
        self.params = params
        self.module_name = f"neighbor_source_l{params.lanes}_r{params.width}_n{params.neighbors}"
        super().__init__({"data": In(params.lanes * params.width), "words": Out(params.lanes * params.width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.words.eq(Cat(self._word(lane) for lane in range(self.params.lanes)))
        return m

    def _word(self, lane: int) -> Value:
        words = []
        for k in range(1, self.params.neighbors + 1):
            data = self.data.word_select((lane + k) % self.params.lanes, self.params.width)
            words.append(data if k % 2 else data[::-1])
        return reduce(xor, words)
