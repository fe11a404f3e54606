"""Bias and correlation against plain counting with the golden models, and against known properties of sequences."""

from fractions import Fraction

import numpy as np
import pytest
from designs import POLARITIES, design

from lowtide_model import rounds_up
from lowtide_model.random_source import SteppingSource
from lowtide_studies.rounder_search import figures
from lowtide_studies.rounder_search.design import BASELINES, PLATEAU
from lowtide_studies.rounder_search.figures import (
    LAGS,
    bias_of,
    correlation_of,
    counted_correlations,
    counted_words,
    derived_correlations,
    derived_words,
)

SHORT = 9


def plain_bias(tested):
    """Mean and worst bias over all fractions of 9 bits: each of them rounded by each word of a period."""
    source = SteppingSource(tested.source)
    words = []
    for _ in range(tested.source.period):
        words.append(source.words()[0])
        source.step()
    t = np.arange(1 << SHORT)[:, np.newaxis]
    given = t >> SHORT - tested.fraction
    up = rounds_up(given, mode=tested.mode, fraction=tested.fraction, random=words, random_bits=tested.width)
    counts = np.count_nonzero(up, axis=1).tolist()
    errors = [Fraction(count, len(words)) - Fraction(n, 1 << SHORT) for n, count in enumerate(counts)]
    return float(sum(errors) / len(errors)), float(max(map(abs, errors)))


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("mode", ["carry", "half_step"])
def test_bias_is_that_of_every_fraction_and_every_word(polarity, mode, monkeypatch):
    monkeypatch.setattr(figures, "FRACTION", SHORT)
    for bits, width in [(2, 2), (3, 3), (4, 2), (5, 5), (6, 1)]:
        for fraction in {1, max(1, width - 1), width, width + 1, SHORT}:
            tested = design(bits, polarity=polarity, mode=mode, width=width, fraction=fraction)
            found = bias_of(tested)
            assert (found.mean, found.worst) == pytest.approx(plain_bias(tested), abs=1e-15)


@pytest.mark.parametrize("polarity", ["plain", "inverted", "time", "space"])
def test_bias_of_long_periods_is_derived_as_that_of_short_ones_is_counted(polarity):
    for bits in range(2, 9):
        for width in range(1, bits + 1):
            source = design(bits, polarity=polarity, width=width).source
            np.testing.assert_array_equal(derived_words(source), counted_words(source))


@pytest.mark.parametrize("bits", [3, 8])
def test_a_plateau_by_carry_has_the_mean_bias_of_uniform_words(bits):
    """The formula of the numerics page: ``-2**-(r+1) + 2**-(D+1)``, D being the 24 bits of the exact fraction."""
    for polarity in ("time", "space"):
        assert bias_of(design(bits, polarity=polarity)).mean == 2.0**-25 - 2.0 ** -(bits + 1)


def test_a_half_step_leaves_half_of_the_last_of_24_bits():
    for polarity in ("time", "space", "uniform"):
        assert bias_of(design(3, polarity=polarity, mode="half_step", fraction=4)).mean == 2.0**-25


def test_bias_of_the_baselines():
    """The plateau is worst at t = 0.874…, of which 0.75 is seen: 11/14 at most are rounded up, and at 0.124… none."""
    plateau, reference = bias_of(BASELINES[PLATEAU]), bias_of(BASELINES["24-bit reference"])
    assert plateau.worst == pytest.approx(5 / 28 - 2**-24, abs=1e-12)
    # Of a 24-bit fraction t an LFSR of 24 bits rounds up t / (2**24 - 1).
    assert reference.mean == 2.0**-25
    assert reference.worst == pytest.approx(2.0**-24, rel=1e-6)


@pytest.mark.parametrize("polarity", POLARITIES)
def test_correlation_is_that_of_words_step_by_step(polarity):
    tested = design(4, polarity=polarity, width=3, lanes=4, apart=3)
    sources = [SteppingSource(source) for source in tested.sources]
    steps = []
    for _ in range(tested.source.period + LAGS[-1]):
        steps.append([word for source in sources for word in source.words()])
        for source in sources:
            source.step()
    words = np.array(steps)
    first, period = words[:, 0], tested.source.period
    lags = [np.corrcoef(first[:period], first[lag : lag + period])[0, 1] for lag in LAGS]
    lanes = np.corrcoef(words[:period].T)[np.triu_indices(16, 1)]
    found = correlation_of(tested)
    assert found.lag == pytest.approx(np.sqrt(np.mean(np.square(lags))), abs=1e-12)
    assert found.lane == pytest.approx(np.sqrt(np.mean(np.square(lanes))), abs=1e-12)


@pytest.mark.parametrize("polarity", ["plain", "inverted", "time", "space"])
def test_correlation_of_long_periods_is_derived_as_that_of_short_ones_is_counted(polarity):
    for bits in (5, 6, 8):
        for lanes, apart, width in [(1, 1, bits), (2, 5, 3), (16, 1, bits - 1), (4, 24, 1)]:
            tested = design(bits, polarity=polarity, width=width, lanes=lanes, apart=apart)
            for by_derivation, by_count in zip(derived_correlations(tested), counted_correlations(tested), strict=True):
                np.testing.assert_allclose(by_derivation, by_count, atol=1e-12)


def test_lanes_of_equal_words_are_fully_correlated():
    """A sequence of period seven repeats after seven steps."""
    assert correlation_of(design(3, polarity="plain", apart=7)).lane == pytest.approx(1)
