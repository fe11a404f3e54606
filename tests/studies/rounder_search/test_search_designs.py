"""Points of the space stand for legal designs."""

import math

import numpy as np
import pytest
from designs import design, random_point, values_of

from lowtide_model.random_source import bits_from
from lowtide_studies.rounder_search.design import BASELINES, DISTRIBUTIONS, GROUP, design_of, maximal_taps, point_of


def test_every_point_is_legal_and_comes_back():
    generator = np.random.default_rng(1)
    for _ in range(500):
        found = design_of(random_point(generator))
        assert sum(source.lanes for source in found.sources) == GROUP
        assert found.rounder.fraction == found.fraction
        assert design_of(point_of(found)) == found


def test_baselines_are_in_the_space():
    for baseline in BASELINES.values():
        point = point_of(baseline)
        assert point.keys() == DISTRIBUTIONS.keys()
        for name, distribution in DISTRIBUTIONS.items():
            assert point[name] in values_of(distribution)
        assert design_of(point) == baseline


@pytest.mark.parametrize("bits", range(2, 9))
def test_all_maximal_polynomials_of_a_small_generator_are_there(bits):
    """There are as many as numbers below the period that have no divisor in common with it, by the bits."""
    period = 2**bits - 1
    taps = maximal_taps(bits)
    assert len(taps) == sum(math.gcd(n, period) == 1 for n in range(1, period + 1)) / bits
    assert len(set(taps)) == len(taps)
    assert max(map(len, map(maximal_taps, range(2, 9)))) <= len(values_of(DISTRIBUTIONS["taps"]))


def test_what_is_not_legal_becomes_what_is():
    point = point_of(design(3, lanes=8))
    assert design_of(point | {"lanes": 16}).lanes == 8
    assert design_of(point | {"bits": 12, "polarity": "uniform"}).bits == 6
    assert design_of(point | {"bits": 24, "lanes": 16}).lanes == 1
    assert design_of(point | {"bits": 5, "polarity": "uniform", "lanes": 16}).lanes == 2
    assert design_of(point | {"spare": 4}).width == 2
    assert design_of(point | {"cut": 2}).fraction == 1


def test_sources_of_a_group_start_apart():
    tested = design(4, polarity="plain", lanes=4, apart=5)
    sequence = bits_from(tested.source, 0, 30)
    states = [int(sequence[place : place + 4] @ [1, 2, 4, 8]) for place in (0, 5, 10, 15)]
    assert [source.seed for source in tested.sources] == states


def test_zero_is_no_seed():
    """Among all 16 states in turn, the zero state is replaced by its successor, which then occurs twice."""
    seeds = [source.seed for source in design(4, polarity="uniform").sources]
    assert 0 not in seeds
    assert len(set(seeds)) == 15
