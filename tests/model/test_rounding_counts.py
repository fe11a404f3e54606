"""Probabilities and biases of stochastic rounding, counted over whole periods in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from gfloat import RoundMode, round_ndarray
from gfloat.formats import format_info_ocp_e4m3

from lowtide.units.random.params import RandomSourceParams
from lowtide.units.rounding.params import MODES
from lowtide_model import round_magnitude, rounds_up, words

SMALL = [(D, r) for r in range(2, 9) for D in range(1, 13)]


def half(power):
    return Fraction(1, 2**power)


def probabilities(mode, D, source, lane=0):
    """For each fraction t, its probability of rounding up over a whole period."""
    period = words(source, np.arange(source.period), lane)
    t = np.arange(2**D)[:, np.newaxis]
    up = rounds_up(t, mode=mode, fraction=D, random=period, random_bits=source.width)
    return [Fraction(int(count), source.period) for count in up.sum(axis=1)]


def uniform_probabilities(mode, D, r):
    t, R = np.arange(2**D)[:, np.newaxis], np.arange(2**r)
    up = rounds_up(t, mode=mode, fraction=D, random=R, random_bits=r)
    return [Fraction(int(count), 2**r) for count in up.sum(axis=1)]


def mean_bias(chances, D):
    """Mean error over all fractions, in units of the kept LSB."""
    return sum(chances, Fraction(0)) / 2**D - sum(Fraction(t, 2**D) for t in range(2**D)) / 2**D


@pytest.mark.parametrize(("D", "r"), SMALL)
def test_mean_bias_of_uniform_words(D, r):
    carry = mean_bias(uniform_probabilities("carry", D, r), D)
    half_step = mean_bias(uniform_probabilities("half_step", D, r), D)
    if r >= D:
        assert carry == half_step == 0
    else:
        assert carry == -half(r + 1) + half(D + 1)
        assert half_step == half(D + 1)


@pytest.mark.parametrize(("D", "r"), SMALL)
@pytest.mark.parametrize("mode", ["carry", "half_step"])
def test_a_plateau_has_the_mean_bias_of_uniform_words(mode, D, r):
    for polarity, lane in (("time", 0), ("space", 0), ("space", 1)):
        source = RandomSourceParams(bits=r, width=r, polarity=polarity, lanes=2)
        chances = probabilities(mode, D, source, lane)
        assert mean_bias(chances, D) == mean_bias(uniform_probabilities(mode, D, r), D)


@pytest.mark.parametrize("r", range(2, 9))
def test_probabilities_of_every_fraction_where_all_bits_are_evaluated(r):
    """D = r, with every source on the page of numerics, and both modes, which agree."""
    n = 2**r - 1
    wanted = {
        "plain": [Fraction(t, n) for t in range(2**r)],
        "inverted": [Fraction(max(t - 1, 0), n) for t in range(2**r)],
        "time": [Fraction(max(2 * t - 1, 0), 2 * n) for t in range(2**r)],
        "space": [Fraction(max(2 * t - 1, 0), 2 * n) for t in range(2**r)],
    }
    if r <= 6:
        wanted["uniform"] = [Fraction(t, 2**r) for t in range(2**r)]
    for polarity, chances in wanted.items():
        source = RandomSourceParams(bits=r, width=r, polarity=polarity, lanes=1)
        for mode in ("carry", "half_step"):
            assert probabilities(mode, r, source) == chances


@pytest.mark.parametrize("r", range(2, 9))
def test_biases_of_each_polarity_where_all_bits_are_evaluated(r):
    bias = {
        polarity: mean_bias(
            probabilities("carry", r, RandomSourceParams(bits=r, width=r, polarity=polarity, lanes=1)), r
        )
        for polarity in ("plain", "inverted", "time")
    }
    assert bias == {"plain": half(r + 1), "inverted": -half(r + 1), "time": 0}


@pytest.mark.parametrize("r", range(2, 9))
def test_a_plateau_is_antisymmetric_about_one_half(r):
    chances = probabilities("carry", r, RandomSourceParams(bits=r, width=r, polarity="time", lanes=1))
    for t in range(1, 2**r):
        assert chances[t] + chances[2**r - t] == 1
        assert abs(chances[t] - Fraction(t, 2**r)) < half(r + 1)


def test_the_wide_generator_is_nearly_uniform():
    """Over all states of the 24-bit generator, each nonzero low word occurs once more than the zero word."""
    r, period = 8, 2**24 - 1
    words_of_each = [2**16 - 1] + [2**16] * (2**r - 1)
    for t in range(1, 2**r):
        chance = Fraction(sum(words_of_each[2**r - t :]), period)
        assert chance == Fraction(t * 2**16, period)
        assert chance - Fraction(t, 2**r) == Fraction(t, 2**r * period)


@pytest.mark.parametrize("polarity", ["time", "space"])
@pytest.mark.parametrize(("bits", "r"), [(4, 3), (6, 3), (8, 4)])
def test_words_narrower_than_their_generator_are_nearer_to_uniform(polarity, bits, r):
    source = RandomSourceParams(bits=bits, width=r, polarity=polarity, lanes=1)
    chances = probabilities("carry", r, source)
    assert mean_bias(chances, r) == 0
    short = probabilities("carry", r, RandomSourceParams(bits=r, width=r, polarity=polarity, lanes=1))
    for t in range(1, 2**r):
        assert abs(chances[t] - Fraction(t, 2**r)) <= abs(short[t] - Fraction(t, 2**r))


@pytest.mark.parametrize("mode", MODES)
def test_results_are_the_floor_or_one_more_and_zero_fractions_stay(mode):
    for D, r in ((3, 3), (5, 2), (2, 4), (8, 8)):
        values, R = np.arange(2 ** (D + 2))[:, np.newaxis], np.arange(2**r)
        o = round_magnitude(values, mode=mode, width=2, fraction=D, random=R, random_bits=r)
        floor = values >> D
        assert np.all((o == floor) | (o == np.minimum(floor + 1, 3)))
        assert np.all(o[:: 2**D] == floor[:: 2**D])


# gfloat rounds to four bits of precision: from 8 up to 16 these are integers.
ORACLES = {
    "carry": RoundMode.StochasticFastest,
    "half_step": RoundMode.StochasticFast,
    "nearest": RoundMode.TiesToAway,
    "nearest_even": RoundMode.TiesToEven,
    "truncate": RoundMode.TowardZero,
}


@pytest.mark.parametrize("mode", ORACLES)
@pytest.mark.parametrize(("D", "r"), [(1, 1), (3, 3), (8, 3), (3, 8), (5, 4), (8, 8)])
def test_gfloat_rounds_equally(mode, D, r):
    t, R = (grid.ravel() for grid in np.meshgrid(np.arange(2**D), np.arange(2**r), indexing="ij"))
    for integer in (8, 11, 14):
        values = (integer << D) + t
        ours = round_magnitude(values, mode=mode, width=5, fraction=D, random=R, random_bits=r)
        theirs = round_ndarray(
            format_info_ocp_e4m3, values / 2.0**D, ORACLES[mode], srbits=R.astype(np.int64), srnumbits=r
        )
        np.testing.assert_array_equal(ours, theirs)


def test_other_arguments_are_rejected():
    with pytest.raises(ValueError, match=f"mode must be one of {', '.join(MODES)}, not 'up'"):
        rounds_up(0, mode="up", fraction=3)
    with pytest.raises(ValueError, match="random must be from 0 to 7, 3 bits, not up to 8"):
        rounds_up(0, mode="carry", fraction=3, random=[1, 8], random_bits=3)
