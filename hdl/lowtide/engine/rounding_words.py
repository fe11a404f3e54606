"""Rounding words: selects the rounding mode of a converter by the words added to fractions."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from lowtide.engine.operand import NEAREST, STOCHASTIC
from lowtide.netlist import Unit, place
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource

__all__ = ["RoundingWords"]


class RoundingWords(Unit):
    """Rounding words: words for rounders of mode ``carry``, which round up if fraction and word carry.

    A rounding word has more bits than a random word. A random word ``R`` with a one and zeros below it rounds
    stochastically with half a step: bits of the fraction below the one never carry. A one above zeros rounds to
    nearest, ties away from zero; zero truncates. So the rounding mode is data.

    Parameters
    ----------
    source : RandomSourceParams
        Parameters of the random source.
    width : int
        Bits of a rounding word, at least one more than a random word.

    Members
    -------
    rounding : In(2)
        Index into `ROUNDINGS`.
    load : In(1)
        Pulses for one cycle to load ``seed``.
    seed : In(source.bits)
        Seed of the random source.
    step : In(1)
        High to advance to the next words, which are valid one cycle later.
    row : In(1)
        High with ``step`` when the words were the last ones of a row.
    words : Out(source.lanes * width)
        Rounding words, lane 0 in the lowest bits.
    """

    def __init__(self, source: RandomSourceParams, width: int):
        self.source, self._random = source, RandomSource(source, seeded=True)
        self.width, self.zeros = width, width - source.width - 1
        self.module_name = f"rounding_words_{width}_{self._random.module_name}"
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
            words.append(Cat(Const(0, self.zeros), stochastic[0], bits[:-1], bits[-1] | nearest))
        m.d.comb += self.words.eq(Cat(words))
        return m
