"""From one seed, A and B are rounded by independent words: no product is biased, along K or across panels."""

import attrs
import numpy as np
import pytest

from lowtide.engine.seeds import operand_seed, panel_seed
from lowtide.formats.parameter import IllegalValue
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.random_source import words

BITS = range(2, 33)


def stochastic(config, a, b, states, chunks=1):
    """A product in two bits, or four, with these states of the generators."""
    a_settings, b_settings = (
        OperandSettings(
            chunks=chunks * (config.bfp.chunk_a // chunk),
            rounding="stochastic",
            seed=state,
            bias=default_bias(x, exponent=config.bfp.exponent),
        )
        for x, state, chunk in zip((a, b), states, (config.bfp.chunk_a, config.bfp.chunk_b), strict=True)
    )
    return multiply(GoldenEngine(config), a, b, a_settings, b_settings).values


def states_of(config, seed):
    """The states that follow from a seed."""
    return tuple(operand_seed(seed, side, config.engine.lfsr_bits) for side in "ab")


def errors_of(values, due):
    """How many standard errors the mean of independent values is from what is due."""
    values = np.asarray(values, float)
    return (values.mean() - due) / (values.std(ddof=1) / len(values) ** 0.5)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("side", ["a", "b"])
def test_neighboring_seeds_have_distinct_states(bits, side):
    """At random places, and at the ends of rounds, where the states of a short generator come again."""
    states, rng = 2**bits - 1, np.random.default_rng(bits)
    seeds = [int(seed) for seed in rng.integers(0, 2**64 - 1, 100, np.uint64)]
    rounds = [int(seed) // states * states - 1 for seed in rng.integers(states, 2**64, 100, np.uint64)]
    for seed in (0, states - 1, 2**64 - 2, *seeds, *rounds):
        here, after = (operand_seed(seed + n, side, bits) for n in range(2))
        assert 1 <= here <= states
        assert here != after


@pytest.mark.parametrize("bits", [2, 3, 5, 8, 12])
def test_consecutive_seeds_cover_all_states(bits):
    states = 2**bits - 1
    for side in "ab":
        for first in (0, 7 * states):
            found = [operand_seed(first + n, side, bits) for n in range(states)]
            assert sorted(found) == list(range(1, states + 1))
        for panel in range(3):
            found = [panel_seed(state, side, panel, bits) for state in range(1, states + 1)]
            assert sorted(found) == list(range(1, states + 1))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_illegal_seed_is_refused(seed):
    with pytest.raises(IllegalValue, match=r"^seed must be from 0 to 18446744073709551615, not "):
        operand_seed(seed, "a", 16)


def test_bits_of_states_are_independent():
    """Each bit of A's state and each of B's, and of the next seed's and the next panel's: 4,000 seeds, 16² pairs."""
    count, bits = 4000, 16
    states = {
        "a": [operand_seed(seed, "a", bits) for seed in range(count + 1)],
        "b": [operand_seed(seed, "b", bits) for seed in range(count + 1)],
    }
    signs = {side: 2.0 * (np.array(found)[:, np.newaxis] >> np.arange(bits) & 1) - 1 for side, found in states.items()}
    panels = [panel_seed(state, "a", 1, bits) for state in states["a"][:-1]]
    panel = 2.0 * (np.array(panels)[:, np.newaxis] >> np.arange(bits) & 1) - 1
    here = signs["a"][:-1]
    for other in (signs["b"][:-1], signs["a"][1:], signs["b"][1:], panel):
        # Of 256 correlations of independent bits, one beyond five standard errors is expected in 7,000 runs.
        assert np.abs(here.T @ other).max() < 5 * count**0.5


@pytest.mark.parametrize(("plateau", "counts"), [(False, (2, 2, 2, 2)), (True, (1, 3, 3, 1))])
def test_operands_and_panels_have_distinct_words(small, plateau, counts):
    """Words at the same place are equal as often as independent ones, within five standard errors.

    Of eight words of two bits, each of 0, 1, 2 and 3 occurs as often as the counts say.
    """
    small = small.changed({"engine.random_plateau": plateau})
    bits, source, seeds = small.engine.lfsr_bits, small.engine.source(4), range(300)
    found = {}
    for side in "ab":
        for panel in range(3):
            states = [panel_seed(operand_seed(seed, side, bits), side, panel, bits) for seed in seeds]
            found[side, panel] = np.array([words(attrs.evolve(source, seed=state), np.arange(10)) for state in states])
    equal = sum(count**2 for count in counts) / 8**2
    error = (equal * (1 - equal) / (300 * 10)) ** 0.5
    pairs = [(one, other) for one in found for other in found if one < other]
    for one, other in pairs:
        assert abs((found[one] == found[other]).mean() - equal) < 5 * error
    for key, its in found.items():  # and the words of the next seed
        assert abs((its[1:] == its[:-1]).mean() - equal) < 5 * error, key


@pytest.mark.parametrize("plateau", [False, True])
def test_a_product_of_two_numbers_is_unbiased(small, plateau):
    """1.25 in two bits is 1 or 1.5, with even odds: 800 seeds from 0 up, three standard errors."""
    config = small.changed({"engine.random_plateau": plateau})
    x = np.full((1, 1), 1.25, np.float32)
    found = [stochastic(config, x, x, states_of(config, seed)).item() for seed in range(800)]
    assert set(found) == {1, 1.5, 2.25}
    assert abs(errors_of(found, 1.5625)) < 3
    # The same words for both: what the test would say of that.
    same = [stochastic(config, x, x, (states_of(config, seed)[0],) * 2).item() for seed in range(20)]
    assert set(same) == {1, 2.25}


def test_plateau_words_round_small_fractions_up_less_often(small):
    """1.125 in two bits is 1.5 with an eighth of the seeds, and with a quarter without the plateau; 1.375 inversely."""
    for plateau, chance in ((True, 1 / 8), (False, 1 / 4)):
        config = small.changed({"engine.random_plateau": plateau})
        for value, due in ((1.125, chance), (1.375, 1 - chance)):
            x, one = np.full((1, 1), value, np.float32), np.ones((1, 1), np.float32)
            found = [stochastic(config, x, one, states_of(config, seed)).item() == 1.5 for seed in range(800)]
            assert abs(errors_of(found, due)) < 3


@pytest.mark.parametrize(("lines", "k"), [(12, 16), (4, 210)])
def test_products_along_k_are_unbiased(small, lines, k):
    """Each result, and the diagonal of X Xᵀ, over 50 seeds: in one panel, and in panels along K and across."""
    rng, seeds = np.random.default_rng(k), range(50)
    # From 1 to 1.25 in steps whose odds words of r bits have exactly: with two bits, eighths.
    steps = 2 ** (small.engine.random_bits + 1)
    x = (1 + rng.integers(0, steps // 4 + 1, (lines, k)) / steps).astype(np.float32)
    due = x.astype(float) @ x.T.astype(float)
    found = np.array([stochastic(small, x, x.T, states_of(small, seed)) / due for seed in seeds])
    assert abs(errors_of([np.diag(each).mean() for each in found], 1)) < 3
    assert abs(errors_of(found.mean((1, 2)), 1)) < 3
    errors = (found.mean(0) - 1) / (found.std(0, ddof=1) / len(seeds) ** 0.5)
    assert np.abs(errors).max() < 5  # no result may be rounded by the same words along K
    same = [np.diag(stochastic(small, x, x.T, (seed + 1,) * 2) / due).mean() for seed in seeds]
    assert errors_of(same, 1) > 3
