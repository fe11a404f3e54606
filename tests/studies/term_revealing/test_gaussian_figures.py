"""Figures of term revealing that are known for random values: means of terms, and what groups buy."""

import math

import numpy as np
import pytest

from lowtide_model.terms import encode, reveal_weights

SIGMA = 127 / 3
"""Of values in which 127 is three standard deviations."""


@pytest.mark.parametrize(("encoding", "mean"), [("binary", 4.00), ("booth", 3.50), ("hese", 3.11)])
def test_mean_terms_of_uniform_bytes(encoding, mean):
    assert np.count_nonzero(encode(np.arange(256), 8, encoding)) / 256 == pytest.approx(mean, abs=0.005)


@pytest.mark.parametrize(("encoding", "mean"), [("binary", 2.87), ("booth", 2.72), ("hese", 2.42)])
def test_mean_terms_of_half_normal_magnitudes(encoding, mean):
    """Exactly: by the probability of each of the 128 magnitudes, those beyond the last one clipped to it."""
    edges = np.array([-0.5, *np.arange(127) + 0.5, math.inf]) / (SIGMA * math.sqrt(2))
    below = np.array([math.erf(edge) for edge in np.maximum(edges, 0)])
    terms = np.count_nonzero(encode(np.arange(128), 7, encoding), axis=-1)
    assert np.diff(below) @ terms == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize(("group", "decibels"), [(4, 23.3), (8, 25.0), (16, 25.8), (32, 26.1)])
def test_larger_groups_keep_more_of_gaussian_weights(group, decibels):
    """Signal to noise at one and a half terms a weight; seed 1, within 0.3 dB."""
    values = np.random.default_rng(1).standard_normal(1 << 17) * SIGMA
    integers = np.clip(np.rint(values), -127, 127).astype(np.int64)
    left = reveal_weights(integers, width=8, group=group, budget=group * 3 // 2)
    ratio = np.sum(integers**2) / np.sum((integers - left) ** 2)
    assert 10 * math.log10(ratio) == pytest.approx(decibels, abs=0.3)
