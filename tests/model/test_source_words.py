"""Words of the random source: closed form, step-by-step model, and counts of each word."""

import random
import re
from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from lowtide.units.random.params import RandomSourceParams
from lowtide_model import SteppingSource, words

POLARITIES = ["plain", "inverted", "time", "space", "uniform"]
WIDTHS = [*range(1, 41), 49, 63, 64, 105]


def source_of(bits, polarity, **keywords):
    """A source with as many lanes as it can serve, up to 16."""
    most = RandomSourceParams(bits=bits, width=1, polarity=polarity, lanes=1).most_lanes
    return RandomSourceParams(
        **{"bits": bits, "width": min(bits, 3), "polarity": polarity, "lanes": min(most, 16)} | keywords
    )


def expected_counts(source):
    """Occurrences of each word per period, derived from a maximal sequence: every state but zero occurs once."""
    states = range(0 if source.polarity == "uniform" else 1, 2**source.bits)
    low = Counter(state % 2**source.width for state in states)
    inverted = Counter({2**source.width - 1 - word: count for word, count in low.items()})
    if source.alternates:
        return low + inverted
    return inverted if source.polarity == "inverted" else low


@pytest.mark.parametrize("plateau", [False, True])
@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6])
def test_machine_and_closed_form_agree_over_whole_periods(bits, polarity, plateau):
    source = source_of(bits, polarity, seed=2, plateau=plateau)
    machine = SteppingSource(source)
    wanted = words(source, np.arange(2 * source.period + 3)[:, np.newaxis], np.arange(source.lanes))
    for row in wanted.tolist():
        assert machine.words() == row
        machine.step()


@pytest.mark.parametrize("polarity", ["plain", "inverted", "time", "space"])
@pytest.mark.parametrize(("bits", "width"), [(8, 8), (17, 5), (24, 24), (32, 11)])
def test_machine_and_closed_form_agree_on_long_generators(bits, width, polarity):
    source = RandomSourceParams(
        bits=bits, width=width, polarity=polarity, lanes=5, seed=2**bits - 3, rows=True, plateau=width % 2 == 1
    )
    machine, rng = SteppingSource(source), random.Random(bits)
    row = index = 0
    for _ in range(300):
        assert machine.words() == words(source, index, np.arange(5), row).tolist()
        ends = rng.random() < 0.1
        machine.step(ends)
        row, index = (row + 1, 0) if ends else (row, index + 1)


def test_far_ahead_in_a_long_sequence():
    """Bits far from the seed follow the recurrence of the taps, and repeat after the period."""
    source = RandomSourceParams(bits=20, width=20, polarity="plain", lanes=1)
    bits = words(source, 800_000 + np.arange(64)) & 1
    for i in range(44):
        assert bits[i + 20] == bits[i] ^ bits[i + 3]
    assert words(source, [0, 2**20 - 1, 2**20, 2 * (2**20 - 1)]).tolist() == [1, 1, words(source, 1), 1]


@pytest.mark.parametrize("polarity", ["plain", "inverted"])
@pytest.mark.parametrize("bits", [24, 31, 32])
def test_words_after_many_periods_equal_the_first_ones(bits, polarity):
    source = RandomSourceParams(bits=bits, width=bits, polarity=polarity, lanes=5, seed=2**bits - 3)
    near, lanes = np.arange(100)[:, np.newaxis], np.arange(5)
    far = 2**59 // source.period * source.period + near
    assert np.array_equal(words(source, far, lanes), words(source, near, lanes))


@pytest.mark.parametrize(
    ("bits", "polarity"), [*product([2, 3, 4, 6], POLARITIES), *((8, polarity) for polarity in POLARITIES[:-1])]
)
def test_every_lane_gets_every_word_in_a_period(bits, polarity):
    for width in {1, 2, bits}:
        source = source_of(bits, polarity, width=width)
        seen = words(source, np.arange(source.period)[:, np.newaxis], np.arange(source.lanes))
        for lane in range(source.lanes):
            assert Counter(seen[:, lane].tolist()) == expected_counts(source)


@pytest.mark.parametrize("polarity", POLARITIES)
def test_no_two_lanes_get_equal_words(polarity):
    for bits in (2, 3, 4):
        most = RandomSourceParams(bits=bits, width=1, polarity=polarity, lanes=1).most_lanes
        source = RandomSourceParams(bits=bits, width=bits, polarity=polarity, lanes=most)
        seen = words(source, np.arange(source.period)[:, np.newaxis], np.arange(most))
        assert len({tuple(lane) for lane in seen.T.tolist()}) == most


def test_pairs_in_space_are_each_others_inverse():
    seen = words(RandomSourceParams(), np.arange(14)[:, np.newaxis], np.arange(14))
    np.testing.assert_array_equal(seen[:, ::2] ^ seen[:, 1::2], 7)
    # In each step, the 14 lanes together get every word in every polarity once.
    for step in seen.tolist():
        assert Counter(step) == expected_counts(RandomSourceParams())


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_counts_of_plateau_words(width):
    """Of the words of a sequence with all states, the ends are half as frequent; what they lack, a neighbor has."""
    bits, last = 6, 2**width - 1
    source = RandomSourceParams(bits=bits, width=width, polarity="uniform", lanes=1, plateau=True)
    usual = 2 ** (bits - width)
    wanted = Counter(dict.fromkeys(range(last + 1), usual))
    for end, neighbor in ((0, 1), (last, last - 1)):
        wanted[end] -= usual // 2
        wanted[neighbor] += usual // 2
    assert Counter(words(source, np.arange(2**bits)).tolist()) == wanted


@pytest.mark.parametrize("width", [1, 2, 3, 8])
def test_plateau_words_of_pairs_are_each_others_inverse(width):
    source = RandomSourceParams(bits=16, width=width, polarity="space", lanes=6, plateau=True)
    seen = words(source, np.arange(2000)[:, np.newaxis], np.arange(6))
    np.testing.assert_array_equal(seen[:, ::2] ^ seen[:, 1::2], 2**width - 1)


def test_only_the_lowest_bit_of_plateau_words_differs():
    """It differs exactly where the word and the bit above it, the highest bit of the next word, are equal bits."""
    source = RandomSourceParams(bits=11, width=3, polarity="plain", lanes=1)
    plain = words(source, np.arange(3000))
    following = words(source, np.arange(3000) + 1)
    changed = words(RandomSourceParams(bits=11, width=3, polarity="plain", lanes=1, plateau=True), np.arange(3000))
    wanted = [word ^ ((word, after) in ((0, 0), (7, 7))) for word, after in zip(plain, following, strict=True)]
    assert changed.tolist() == wanted


def column_counts(source, width, rows):
    """Occurrences of each word, by column and lane, from the step-by-step model."""
    machine = SteppingSource(source)
    counts = [[Counter() for _ in range(source.lanes)] for _ in range(width)]
    for _ in range(rows):
        for column in range(width):
            for lane, word in enumerate(machine.words()):
                counts[column][lane][word] += 1
            machine.step(column == width - 1)
    return counts


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("polarity", POLARITIES)
def test_no_column_of_any_width_is_locked_to_its_words(polarity, width):
    source = RandomSourceParams(polarity=polarity, lanes=2, rows=True)
    for column in column_counts(source, width, source.period):
        for counts in column:
            assert counts == expected_counts(source)


@pytest.mark.parametrize("bits", [2, 4])
def test_nor_with_other_generators(bits):
    source = RandomSourceParams(bits=bits, width=2, lanes=2, rows=True)
    for width in [1, 7, 8, source.period // 2, source.period - 1, source.period, source.period + 1]:
        for column in column_counts(source, width, source.period):
            assert all(counts == expected_counts(source) for counts in column)


@pytest.mark.parametrize(
    ("polarity", "width", "distinct"),
    [
        *(("plain", 7, 1), ("plain", 14, 1), ("plain", 28, 1), ("plain", 8, 7)),
        *(("time", 7, 2), ("time", 14, 1), ("time", 28, 1), ("time", 16, 7)),
        *(("uniform", 8, 1), ("uniform", 16, 1), ("uniform", 32, 1), ("uniform", 14, 4)),
    ],
)
def test_without_rows_a_column_is_locked_where_the_width_shares_a_factor(polarity, width, distinct):
    """The reason for `rows`: without it, a column gets only some of the words, for any number of rows."""
    source = RandomSourceParams(polarity=polarity, lanes=1)
    seen = words(source, width * np.arange(100))
    assert len(set(seen.tolist())) == distinct


def test_an_extra_step_per_row_only_moves_the_lock():
    """An extra step unlocks rows of 7, but locks rows of 6 and 13."""
    source = RandomSourceParams(polarity="plain", lanes=1)
    for width in range(1, 41):
        seen = words(source, (width + 1) * np.arange(100))
        assert len(set(seen.tolist())) == (1 if width % 7 == 6 else 7)


def test_every_scheme_without_more_memory_locks_some_width():
    """Steps permute the states; if the end of a row permutes them too, each state recurs at some width: a lock.

    This counts all 5,040 permutations of the 7 states at the end of a row. For each permutation and each state, exactly
    one of the 7 widths modulo the period returns to the state.
    """
    for end in permutations(range(7)):
        returns = Counter(state for width in range(7) for state in range(7) if end[(state + width) % 7] == state)
        assert returns == Counter(range(7))


def test_other_arguments_are_rejected():
    with pytest.raises(ValueError, match=re.escape("lane must be from 0 to 13, not 14")):
        words(RandomSourceParams(), 0, 14)
    with pytest.raises(ValueError, match=re.escape("row must be 0: the source was made without rows")):
        words(RandomSourceParams(), 0, 0, 1)
    with pytest.raises(ValueError, match=re.escape("row + index must be 0 or more, not -1")):
        words(RandomSourceParams(), [-1, 4])
    assert words(RandomSourceParams(), np.zeros((3, 0), int)).shape == (3, 0)
