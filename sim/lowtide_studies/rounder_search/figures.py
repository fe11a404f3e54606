"""All figures of a design."""

from pathlib import Path

import attrs

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.synthesis.yosys import synthesize
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide_studies.rounder_search.bias import bias_of
from lowtide_studies.rounder_search.correlation import correlation_of
from lowtide_studies.rounder_search.design import Design

__all__ = ["OBJECTIVES", "Figures", "measure"]

OBJECTIVES = {
    "cells": "LUT + FF per rounder",
    "mean_bias": "mean bias over all fractions",
    "worst_bias": "worst bias over all fractions",
    "lag": "correlation from step to step",
    "lane": "correlation between lanes",
}
"""Objectives, which are minimized; the magnitudes of biases count."""


@attrs.frozen(kw_only=True)
class Figures:
    """Area, bias and correlation of a design.

    Parameters
    ----------
    cells : float
        Look-up tables and flip-flops of a source and the decisions of the rounders it serves, by the number of these
        rounders. On ecp5 a carry cell counts as two look-up tables, which it holds.
    luts, ffs : int
        Look-up tables and flip-flops of the source with all its rounders.
    mean_bias, worst_bias : float
        As in `Bias`.
    lag, lane : float
        As in `Correlation`.
    """

    cells: float
    luts: int
    ffs: int
    mean_bias: float
    worst_bias: float
    lag: float
    lane: float

    @property
    def values(self) -> tuple[float, ...]:
        """Values of the objectives, in the order of `OBJECTIVES`."""
        return self.cells, abs(self.mean_bias), self.worst_bias, self.lag, self.lane


def measure(design: Design, target: str, cache: Path | None) -> Figures:
    """Figures of a design; its area by synthesis, kept in the folder ``cache``."""
    unit = RoundingDecisions(design.source, design.rounder)
    text, _ = verilog_and_modules(unit)
    area = synthesize(text, unit.module_name, target, memories=False, cache=Cache(cache))
    bias, correlation = bias_of(design), correlation_of(design)
    return Figures(
        cells=(area.tables + area.ffs) / design.lanes,
        luts=area.tables,
        ffs=area.ffs,
        mean_bias=bias.mean,
        worst_bias=bias.worst,
        lag=correlation.lag,
        lane=correlation.lane,
    )
