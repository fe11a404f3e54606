"""Matchings compared with all matchings of small graphs, and with hidden perfect matchings of large ones."""

import random
from functools import cache
from itertools import combinations

import pytest

from lowtide.synthesis.matching import maximum_matching


def most_pairs(count, is_edge):
    """Number of pairs in a maximum matching, by trying all."""

    @cache
    def most(left):
        if not left:
            return 0
        one, rest = left[0], left[1:]
        with_one = [most(tuple(v for v in rest if v != other)) + 1 for other in rest if is_edge(one, other)]
        return max([most(rest), *with_one])

    return most(tuple(range(count)))


def check(partners, is_edge):
    """Check that a matching is one, and return its number of pairs."""
    pairs = {(one, other) for one, other in enumerate(partners) if other != -1}
    assert all((other, one) in pairs and is_edge(one, other) for one, other in pairs)
    return len(pairs) // 2


def neighbors(count, pairs):
    edges = [[] for _ in range(count)]
    for one, other in pairs:
        edges[one].append(other)
        edges[other].append(one)
    return edges


def check_random_graph(seed):
    draw = random.Random(seed)
    count = draw.randint(1, 10)
    density = draw.choice([0.15, 0.25, 0.5])
    pairs = {pair for pair in combinations(range(count), 2) if draw.random() < density}

    def is_edge(one, other):
        return (min(one, other), max(one, other)) in pairs

    assert check(maximum_matching(neighbors(count, pairs)), is_edge) == most_pairs(count, is_edge)


def test_small_graphs_have_no_larger_matching():
    for seed in range(300):
        check_random_graph(seed)


def check_random_joins(seed):
    draw = random.Random(seed)
    count = draw.randint(1, 11)
    names = "abcd"
    classes = [draw.choice(names) for _ in range(count)]
    joins = {pair for one in names for other in names if draw.random() < 0.15 for pair in [(one, other), (other, one)]}
    pairs = {pair for pair in combinations(range(count), 2) if draw.random() < 0.15}

    def is_edge(one, other):
        return (classes[one], classes[other]) in joins or (min(one, other), max(one, other)) in pairs

    joined = {one: [other for other in names if (one, other) in joins] for one in names}
    partners = maximum_matching(neighbors(count, pairs), classes, joined)
    assert check(partners, is_edge) == most_pairs(count, is_edge)


def test_joined_classes_count_as_their_edges():
    for seed in range(300):
        check_random_joins(seed)


@pytest.mark.parametrize("seed", range(5))
def test_hidden_perfect_matching_of_a_large_graph(seed):
    draw = random.Random(seed)
    count = 600
    order = draw.sample(range(count), count)
    pairs = {tuple(sorted(pair)) for pair in zip(order[::2], order[1::2], strict=True)}
    pairs |= {tuple(sorted(draw.sample(range(count), 2))) for _ in range(count)}
    partners = maximum_matching(neighbors(count, pairs))
    assert check(partners, lambda one, other: tuple(sorted((one, other))) in pairs) == count // 2


def test_blossom_on_the_path():
    # A greedy choice of 1-2 or 2-3 leaves one path to augment, through the triangle 2, 3, 4.
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (2, 4), (4, 5)]
    assert sorted(maximum_matching(neighbors(6, pairs))) == [0, 1, 2, 3, 4, 5]


def test_no_vertices():
    assert maximum_matching([]) == []
