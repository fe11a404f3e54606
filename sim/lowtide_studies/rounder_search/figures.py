"""Figures of a design: bias and correlation over a whole period, and area."""

from itertools import combinations
from pathlib import Path

import attrs
import numpy as np

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.synthesis.yosys import synthesize
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide_model.random_source import words
from lowtide_studies.rounder_search.design import FRACTION, GROUP, Design

__all__ = [
    "LAGS",
    "OBJECTIVES",
    "Figures",
    "bias_of",
    "correlation_of",
    "counted_correlations",
    "counted_words",
    "derived_correlations",
    "derived_words",
    "measure",
]

LONGEST_COUNTED = 1 << 14
"""Longest period over which words are counted one by one."""
BLOCK = 1 << 20


@attrs.frozen
class Bias:
    """Bias in units of the last kept bit, from exact counts.

    Parameters
    ----------
    mean : float
        Mean over all fractions of 24 bits.
    worst : float
        Largest magnitude over all fractions.
    """

    mean: float
    worst: float


def bias_of(design: Design) -> Bias:
    """Compute the rounding error of a design's rounder, averaged over one period of its random source.

    All lanes have this error.

    The rounder uses the first k bits of a fraction, ``a``. All fractions from ``a 2**-k`` to just below
    ``(a + 1) 2**-k`` go up in the same number of the steps of a period.
    """
    source, k = design.source, design.seen
    up_by_words = counted_words(source) if source.period <= LONGEST_COUNTED else derived_words(source)
    total, most, least = 0, 0, 0
    for start in range(0, 1 << k, BLOCK):
        a = np.arange(start, min(start + BLOCK, 1 << k))
        up = up_by_words[_words_up(design, a)]
        excess = (up << k) - a * source.period  # over the lowest of these fractions, times 2**k and the period
        total += int(up.sum())
        most, least = max(most, int(excess.max())), min(least, int(excess.min()))
    # In integers to the end, so that a bias of zero is exactly zero.
    one = source.period << FRACTION
    highest = (1 << FRACTION - k) - 1  # the last of these fractions lies higher by so much
    mean_up = (total << FRACTION + 1 - k) - source.period * ((1 << FRACTION) - 1)
    worst = max(most << FRACTION - k, source.period * highest - (least << FRACTION - k))
    return Bias(mean_up / (2 * one), worst / one)


def counted_words(source: RandomSourceParams) -> np.ndarray:
    """Number of steps of a period with one of the j largest words, for j from 0: counted."""
    histogram = np.bincount(words(source, np.arange(source.period)), minlength=1 << source.width)
    return np.concatenate([[0], np.cumsum(histogram[::-1])])


def derived_words(source: RandomSourceParams) -> np.ndarray:
    """Number of steps with one of the j largest words, derived for a linear source: all states but zero occur once.

    All words occur equally often, but zero, or with inversion the largest word, occurs once less.
    """
    if source.polarity == "uniform":
        raise ValueError("source must be linear: the words of a uniform one are counted")
    j, last = np.arange((1 << source.width) + 1), 1 << source.width
    plain = (j << source.bits - source.width) - (j == last)
    inverted = (j << source.bits - source.width) - (j > 0)
    if source.alternates:
        return plain + inverted
    return inverted if source.polarity == "inverted" else plain


def _words_up(design: Design, a: np.ndarray) -> np.ndarray:
    """Number of largest words for which the rounder rounds up, by the first k bits of a fraction."""
    r, k = design.width, design.seen
    if design.mode == "carry":
        return a << r - k
    return ((a << r + 1 - k) + 1) >> 1


LAGS = range(1, GROUP)


@attrs.frozen
class Correlation:
    """Pearson correlation of words.

    It equals the mean correlation of decisions over all pairs of fractions: a word is the number of thresholds at or
    below it, so the covariance of two words is the sum of covariances of decisions at all pairs of thresholds.

    Parameters
    ----------
    lag : float
        Root mean square over lags of 1 to 15 steps in a lane.
    lane : float
        Root mean square over all pairs of the 16 lanes of a group, at the same step.
    """

    lag: float
    lane: float


def correlation_of(design: Design) -> Correlation:
    """Correlation of the words of a design."""
    lags, lanes = (
        counted_correlations(design) if design.source.period <= LONGEST_COUNTED else derived_correlations(design)
    )
    return Correlation(float(np.sqrt(np.mean(lags**2))), float(np.sqrt(np.mean(lanes**2))))


def counted_correlations(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Correlation by lag, and by pair of lanes: counted, over the words of a period."""
    steps = np.arange(design.source.period)
    lanes = np.arange(design.lanes)[:, np.newaxis]
    group = np.concatenate([words(source, steps, lanes) for source in design.sources]).astype(float)
    group -= group.mean(axis=1, keepdims=True)
    group /= np.sqrt((group**2).mean(axis=1, keepdims=True))
    first = group[0]
    lags = np.array([np.mean(first * np.roll(first, -lag)) for lag in LAGS])
    upper = np.triu_indices(GROUP, 1)
    return lags, (group @ group.T / len(steps))[upper]


def derived_correlations(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Correlation by lag, and by pair of lanes, derived for a linear source.

    Bits as +1 and -1 have over a period of N states the mean -1/N, and so has the product of two different bits, as
    it is again a bit of the sequence. Alternation makes the means zero, and turns the sign of odd lags.
    """
    source = design.source
    if source.polarity == "uniform":
        raise ValueError("source must be linear: the words of a uniform one are counted")
    weight = 1 << np.arange(source.width, dtype=object)
    pairs = np.multiply.outer(weight, weight)
    place = np.arange(source.width)
    distance = np.subtract.outer(place, place)
    mean = 0 if source.alternates else 1 / source.states

    def covariance(steps: int) -> float:
        """Covariance of a word and that so many steps on."""
        same = (distance - steps) % source.states == 0
        return float(np.sum(pairs * np.where(same, 1.0, -1 / source.states))) - float(np.sum(pairs)) * mean**2

    def sign(odd: bool) -> int:
        return -1 if odd else 1

    variance = covariance(0)
    lags = [sign(source.alternates and lag % 2 == 1) * covariance(lag) / variance for lag in LAGS]
    lanes = [
        (number * design.apart + source.phase(lane), source.inverts(lane))
        for number in range(GROUP // design.lanes)
        for lane in range(design.lanes)
    ]
    between = [sign(f ^ g) * covariance(q - p) / variance for (p, f), (q, g) in combinations(lanes, 2)]
    return np.array(lags), np.array(between)


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
