"""Neighbor source compared with its model, and the quality of its words for different data."""

import random
import re
from fractions import Fraction

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.random.neighbor import NeighborSource
from lowtide.units.random.params import NeighborParams
from lowtide_model import neighbor_words, rounds_up


@pytest.mark.parametrize(("lanes", "width", "neighbors"), [(2, 3, 1), (3, 2, 2), (4, 3, 3), (16, 8, 2), (5, 1, 1)])
def test_words_equal_the_model(lanes, width, neighbors):
    dut = NeighborSource(NeighborParams(lanes=lanes, width=width, neighbors=neighbors))
    rng = random.Random(1)

    async def bench(ctx):
        for _ in range(100):
            data = [rng.getrandbits(width) for _ in range(lanes)]
            ctx.set(dut.data, sum(value << lane * width for lane, value in enumerate(data)))
            words = neighbor_words(data, width=width, neighbors=neighbors).tolist()
            assert ctx.get(dut.words) == sum(word << lane * width for lane, word in enumerate(words))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


def test_illegal_shapes_name_the_legal_values():
    message = "neighbors must be from 1 to 1 (fewer than lanes = 2), not 2"
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        NeighborParams(lanes=2, neighbors=2)


# Quality of the words, with the low three bits of FP32 significands as data, by seeded draws.

ROWS, LANES, R = 20_000, 16, 3


def low_bits(values):
    return values.astype(np.float32).view(np.uint32) & 7


def word_counts(values, neighbors):
    return np.bincount(neighbor_words(low_bits(values), width=R, neighbors=neighbors).ravel(), minlength=8)


def mean_up(values, neighbors, t):
    """Share of cases in which fraction t of 8 rounds up."""
    words = neighbor_words(low_bits(values), width=R, neighbors=neighbors)
    return Fraction(int(rounds_up(t, mode="carry", fraction=R, random=words, random_bits=R).sum()), words.size)


def normal(seed):
    return np.random.default_rng(seed).standard_normal((ROWS, LANES))


def uniformity(counts):
    """Chi-square of seven degrees of freedom: 95 % of uniform draws are below 14.1, 99.9 % below 24.3."""
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("neighbors", [1, 2, 3])
def test_normal_data_give_uniform_words(neighbors):
    assert uniformity(word_counts(normal(1), neighbors)) < 24.3


@pytest.mark.parametrize("neighbors", [1, 2])
def test_zeros_among_the_data_round_down(neighbors):
    """After a ReLU half of the data are zero: so are half of the words of one neighbor, and a quarter of two."""
    values = np.maximum(normal(2), 0)
    counts = word_counts(values, neighbors)
    share = counts[0] / counts.sum()
    wanted = 0.5**neighbors + (1 - 0.5**neighbors) / 8
    assert abs(share - wanted) < 0.005
    # So a half rounds up in 1/2 of the cases times the share of random words.
    assert abs(float(mean_up(values, neighbors, 4)) - (1 - 0.5**neighbors) / 2) < 0.005


@pytest.mark.parametrize("neighbors", [1, 2, 3])
def test_data_with_few_bits_never_round_up(neighbors):
    """Values rounded to bfloat16, and small integers, have zeros as low bits: the result is truncation."""
    integers = np.random.default_rng(3).integers(-128, 128, (ROWS, LANES))
    for values in (integers, low_precision(normal(3))):
        assert word_counts(values, neighbors).tolist() == [ROWS * LANES] + [0] * 7
        assert mean_up(values, neighbors, 7) == 0


def low_precision(values):
    return (values.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize("neighbors", [1, 2, 3])
def test_equal_data_give_equal_words(neighbors):
    """All lanes of a constant row round equally, in every cycle."""
    words = neighbor_words(np.full((5, LANES), 5), width=R, neighbors=neighbors)
    assert len(np.unique(words)) == 1


def test_own_data_decide_where_neighbors_are_copies():
    """If the next lane has equal data, the fraction meets its own bits: up for t = 4 to 7, never for smaller t."""
    t = np.arange(8)
    words = neighbor_words(np.repeat(t, 2), width=R)[::2]
    up = rounds_up(t, mode="carry", fraction=R, random=words, random_bits=R)
    assert up.tolist() == [False] * 4 + [True] * 4


def test_words_of_two_lanes_are_independent_only_for_one_neighbor():
    """With two neighbors, lanes l and l + 1 share one: one word gives no information on another, three words do."""
    data = np.stack(np.meshgrid(*[np.arange(8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    for neighbors, distinct in ((1, 512), (2, 128)):
        words = neighbor_words(data, width=R, neighbors=neighbors)
        assert len(np.unique(words, axis=0)) == distinct
        pairs = np.unique(words[:, :2], axis=0, return_counts=True)[1]
        assert pairs.tolist() == [8] * 64
