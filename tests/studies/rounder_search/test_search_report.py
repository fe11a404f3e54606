"""Which designs are on the front, and which are better than the plateau."""

import numpy as np
from designs import design

from lowtide_studies.rounder_search.design import BASELINES, PLATEAU
from lowtide_studies.rounder_search.figures import Figures
from lowtide_studies.rounder_search.report import (
    better_than_plateau,
    dominates,
    front,
    front_of_area_and_bias,
    sentence,
)
from lowtide_studies.rounder_search.search import Tried


def tried(number, *values, baseline=""):
    cells, mean, worst, lag, lane = values
    figures = Figures(cells=cells, luts=1, ffs=1, mean_bias=mean, worst_bias=worst, lag=lag, lane=lane)
    return Tried(number, BASELINES.get(baseline, design(4, apart=number + 1)), figures, baseline)


def test_dominating_is_nowhere_larger_and_somewhere_smaller():
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 2), (1, 2))
    assert not dominates((1, 4), (1, 3))


def test_front_is_what_no_other_dominates():
    generator = np.random.default_rng(2)
    designs = [tried(n, *values) for n, values in enumerate(generator.integers(0, 4, (60, 5)).tolist())]
    chosen = front(designs)
    values = [one.figures.values for one in designs]
    expected = {own for own in values if not any(dominates(other, own) for other in values)}
    assert {one.figures.values for one in chosen} == expected
    assert len(chosen) == len(expected)
    assert [one.figures.cells for one in chosen] == sorted(one.figures.cells for one in chosen)


def test_front_of_area_and_bias_leaves_correlation_out():
    small, uncorrelated = tried(0, 1, 0.1, 0.1, 1, 1), tried(1, 2, 0.1, 0.1, 0, 0)
    better_of_equals = tried(2, 1, 0.1, 0.1, 0.5, 1)
    designs = [small, uncorrelated, better_of_equals]
    assert [one.number for one in front(designs)] == [2, 1]
    assert [one.number for one in front_of_area_and_bias(designs)] == [2]


def test_a_bias_downwards_is_no_smaller_than_one_upwards():
    assert front([tried(0, 1, -0.5, 1, 1, 1), tried(1, 1, 0.25, 1, 1, 1)])[0].number == 1


def test_better_than_the_plateau_counts_area_and_bias():
    plateau = tried(0, 3, -0.1, 0.2, 0.5, 0.5, baseline=PLATEAU)
    same_but_smaller, fewer_biased = tried(1, 2, 0.1, 0.2, 0.9, 0.9), tried(2, 3, 0.05, 0.1, 0.5, 0.5)
    larger, more_biased = tried(3, 4, 0, 0, 0, 0), tried(4, 1, 0.2, 0.2, 0, 0)
    designs = [plateau, same_but_smaller, fewer_biased, larger, more_biased]
    assert [one.number for one in better_than_plateau(designs)] == [2, 1]
    assert sentence(designs).startswith("2 designs dominate the 3-bit plateau in area and bias. The best is 4 bits")
    assert sentence([plateau, larger]) == ("No design dominates the 3-bit plateau in area and bias; try more --trials.")
    assert better_than_plateau([larger]) == []
