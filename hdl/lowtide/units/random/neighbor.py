"""Neighbor source: random words from the data of neighboring lanes, without a generator."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.random.params import NeighborParams

__all__ = ["NeighborSource"]


class NeighborSource(Unit):
    """Neighbor source: forms a random word per lane from the data of the lanes after it, cyclically.

    Bit j of the word of lane l is the XOR over k from 1 to ``neighbors`` of bit j of the data of lane
    ``(l + k) mod lanes``. The data are bit-reversed for even k, so that equal data of two lanes do not cancel. The unit
    takes wires, and one look-up table per bit for two or three neighbors. It is combinational and has no state: equal
    data always round in the same way.

    The data should be the bits that vary most and weigh least: the lowest bits of a significand. Bits that are always
    zero, as in rounded values, give words that never round up. Source: the variant of ESRU that takes its bits from a
    network's own data, without a generator.

    Parameters
    ----------
    params : NeighborParams
        Lanes, width of a word, and neighbors.

    Members
    -------
    data : In(lanes * width)
        Low-order bits of each lane's data, lane 0 in the lowest bits.
    words : Out(lanes * width)
        Word of each lane, lane 0 in the lowest bits.
    """

    def __init__(self, params: NeighborParams):
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
