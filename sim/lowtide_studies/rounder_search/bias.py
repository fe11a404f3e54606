"""Bias of a design: probability of rounding up minus the fraction, over all fractions and a whole period."""

import attrs
import numpy as np

from lowtide.units.random.params import RandomSourceParams
from lowtide_model.random_source import words
from lowtide_studies.rounder_search.design import FRACTION, Design

__all__ = ["LONGEST_COUNTED", "Bias", "bias_of", "counted", "derived"]

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
    """The bias of a rounder of a design over a period, equal for all lanes.

    The rounder uses the first k bits of a fraction, ``a``. All fractions from ``a 2**-k`` to just below
    ``(a + 1) 2**-k`` go up in the same number of the steps of a period.
    """
    source, k = design.source, design.seen
    up_by_words = counted(source) if source.period <= LONGEST_COUNTED else derived(source)
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


def counted(source: RandomSourceParams) -> np.ndarray:
    """Number of steps of a period with one of the j largest words, for j from 0: counted."""
    histogram = np.bincount(words(source, np.arange(source.period)), minlength=1 << source.width)
    return np.concatenate([[0], np.cumsum(histogram[::-1])])


def derived(source: RandomSourceParams) -> np.ndarray:
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
