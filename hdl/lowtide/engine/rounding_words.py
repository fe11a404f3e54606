"""Word source: what a converter adds to a fraction, so that it rounds in one way or another."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from lowtide.engine.operand import NEAREST, STOCHASTIC
from lowtide.netlist import Unit, place
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource

__all__ = ["RoundingWords"]


class RoundingWords(Unit):
    """Words for rounders whose mode is ``carry``: they round up where the fraction's first bits and the word carry.

    Words have a bit more than random ones. ``R`` with a one behind it is stochastic rounding with half a step; a one
    with zeros behind it rounds to nearest, ties away from zero; zero truncates. So the way to round is data.

    Parameters
    ----------
    source : Source
        Where random words come from.

    Members
    -------
    rounding : In(2)
        One of `ROUNDINGS`, by its number.
    load, seed, step, row
        As of `RandomSource`.
    words : Out(lanes * (width + 1))
        A word for each lane, lane 0 in the lowest bits.
    """

    def __init__(self, source: RandomSourceParams):
        self.source, self._random = source, RandomSource(source, seeded=True)
        self.module_name = f"rounding_words_{self._random.module_name}"
        self.width = source.width + 1
        super().__init__(
            {
                "rounding": In(2),
                "load": In(1),
                "seed": In(source.bits),
                "step": In(1),
                "row": In(1),
                "words": Out(source.lanes * self.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        random = place(
            m, platform, "random", self._random, load=self.load, seed=self.seed, step=self.step, row=self.row
        )
        stochastic = (self.rounding == STOCHASTIC).replicate(self.source.width)
        nearest = self.rounding == NEAREST
        words = []
        for lane in range(self.source.lanes):
            bits = random.words.word_select(lane, self.source.width) & stochastic
            words.append(Cat(stochastic[0], bits[:-1], bits[-1] | nearest))
        m.d.comb += self.words.eq(Cat(words))
        return m
