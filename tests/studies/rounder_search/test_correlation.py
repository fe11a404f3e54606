"""Correlation against words taken step by step, and against what is known of linear sequences."""

import numpy as np
import pytest
from designs import POLARITIES, design

from lowtide_model.random_source import SteppingSource
from lowtide_studies.rounder_search.figures import LAGS, correlation_of, counted_correlations, derived_correlations


@pytest.mark.parametrize("polarity", POLARITIES)
def test_is_that_of_words_step_by_step(polarity):
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
def test_long_periods_are_derived_as_short_ones_are_counted(polarity):
    for bits in (5, 6, 8):
        for lanes, apart, width in [(1, 1, bits), (2, 5, 3), (16, 1, bits - 1), (4, 24, 1)]:
            tested = design(bits, polarity=polarity, width=width, lanes=lanes, apart=apart)
            for by_derivation, by_count in zip(derived_correlations(tested), counted_correlations(tested), strict=True):
                np.testing.assert_allclose(by_derivation, by_count, atol=1e-12)


def test_lanes_of_equal_words_are_fully_correlated():
    """A sequence of period seven repeats after seven steps."""
    assert correlation_of(design(3, polarity="plain", apart=7)).lane == pytest.approx(1)
