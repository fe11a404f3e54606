"""Correlation of words between steps of a lane, and between lanes of a group, over a whole period."""

from itertools import combinations

import attrs
import numpy as np

from lowtide_model.random_source import words
from lowtide_studies.rounder_search.bias import LONGEST_COUNTED
from lowtide_studies.rounder_search.design import GROUP, Design

__all__ = ["LAGS", "Correlation", "correlation_of", "counted", "derived"]

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
    lags, lanes = counted(design) if design.source.period <= LONGEST_COUNTED else derived(design)
    return Correlation(float(np.sqrt(np.mean(lags**2))), float(np.sqrt(np.mean(lanes**2))))


def counted(design: Design) -> tuple[np.ndarray, np.ndarray]:
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


def derived(design: Design) -> tuple[np.ndarray, np.ndarray]:
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
