"""Rounding decisions: the part of a stochastic rounder in which designs differ."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder

__all__ = ["RoundingDecisions"]


class RoundingDecisions(Unit):
    """Rounding decisions: a random source and the decisions of its rounders, without the incrementers.

    This is the part of `StochasticRounder` that depends on the source and the rounding mode, to compare their area.

    Parameters
    ----------
    source : RandomSourceParams
        Parameters of the source, with one lane per rounder.
    rounder : RounderParams
        Parameters of each rounder: a stochastic mode, with words of the source's width. The bits above the fraction
        are zero.

    Members
    -------
    step : In(1)
        High to advance to the next random words.
    row : In(1)
        With ``step``: high with the last words of a row. Only if the source has ``rows``.
    fractions : In(lanes * fraction)
        Fractions to round, lane 0 in the lowest bits.
    up : Out(lanes)
        Bit of each lane: high to round up. Combinational.
    """

    def __init__(self, source: RandomSourceParams, rounder: RounderParams):
        self.source, self.rounder = source, rounder
        self.module_name = f"rounding_decisions_{RandomSource(source).module_name}_{Rounder(rounder).module_name}"
        ports = {"step": In(1), "fractions": In(source.lanes * rounder.fraction), "up": Out(source.lanes)}
        super().__init__(ports | ({"row": In(1)} if source.rows else {}))

    def elaborate(self, platform):
        m = Module()
        row = {"row": self.row} if self.source.rows else {}
        words = place(m, platform, "source", RandomSource(self.source), step=self.step, **row).words
        for lane in range(self.source.lanes):
            rounder = place(
                m,
                platform,
                f"rounder_{lane}",
                Rounder(self.rounder),
                value=Cat(self.fractions.word_select(lane, self.rounder.fraction), Const(0, self.rounder.width)),
                random=words.word_select(lane, self.source.width),
            )
            m.d.comb += self.up[lane].eq(rounder.up)
        return m
