"""Selection, queues and products, compared with sorted lists of terms."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_terms import ENCODE, keep, revealed

from lowtide_model.terms import (
    digits_of,
    quantize_integers,
    receding_water,
    reveal_data,
    reveal_weights,
    term_matmul,
    term_queue,
    top_terms,
)

repeatable = settings(derandomize=True, deadline=None, max_examples=300)
ENCODINGS = sorted(ENCODE)
groups_of_values = st.lists(st.integers(-128, 127), min_size=1, max_size=40)


@repeatable
@given(groups_of_values, st.integers(0, 70), st.integers(1, 16), st.sampled_from(ENCODINGS))
def test_weights_equal_the_truncated_sorted_list(values, k, group, encoding):
    expected = [
        left for start in range(0, len(values), group) for left in revealed(values[start : start + group], k, encoding)
    ]
    assert reveal_weights(values, width=8, group=group, budget=k, encoding=encoding).tolist() == expected


@repeatable
@given(groups_of_values, st.integers(0, 70), st.integers(1, 16), st.sampled_from(ENCODINGS))
def test_queues_contain_the_terms_in_order(values, k, group, encoding):
    queue = term_queue(values, width=8, group=group, budget=k, encoding=encoding)
    for n, start in enumerate(range(0, len(values), group)):
        kept = keep(values[start : start + group], k, encoding)
        words = zip(queue.exponent[n], queue.index[n], 1 - 2 * queue.negative[n], queue.nonzero[n], strict=True)
        assert [word[:3] for word in words if word[3]] == kept
        assert queue.nonzero[n].tolist() == [1] * len(kept) + [0] * (k - len(kept))
        assert not queue.exponent[n, len(kept) :].any()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("s", range(6))
def test_data_keep_their_own_largest_terms(s, encoding):
    values = np.arange(-128, 128)
    left = [revealed([value], s, encoding)[0] for value in values.tolist()]
    assert reveal_data(values, width=8, terms=s, encoding=encoding).tolist() == left


def test_among_equal_terms_the_lowest_index_wins_for_any_signs():
    digits = digits_of([-64, 64, 64], 8)
    assert receding_water(digits, 2, 3)[:, 6].tolist() == [-1, 1, 0]


def test_the_last_plane_is_cut_at_the_budget():
    values = [65] * 8
    for k in range(17):
        assert np.count_nonzero(receding_water(digits_of(values, 8), k, 8)) == k


def test_nothing_dropped_is_larger_than_anything_kept():
    rng = np.random.default_rng(1)
    digits = digits_of(rng.integers(-128, 128, (300, 8)), 8)
    kept = receding_water(digits, 9, 8)
    places = np.arange(digits.shape[-1])
    least_kept = np.where(kept != 0, places, 99).min(axis=(1, 2))
    most_dropped = np.where((digits != 0) & (kept == 0), places, -1).max(axis=(1, 2))
    assert (most_dropped <= least_kept).all()
    np.testing.assert_array_equal(
        np.count_nonzero(kept, axis=(1, 2)), np.minimum(9, np.count_nonzero(digits, axis=(1, 2)))
    )


def test_groups_lie_along_any_axis():
    values = np.random.default_rng(2).integers(-128, 128, (21, 5))
    along_rows = reveal_weights(values, width=8, group=8, budget=5, axis=0)
    np.testing.assert_array_equal(along_rows, reveal_weights(values.T, width=8, group=8, budget=5).T)


def test_the_most_negative_value_is_one_term():
    assert reveal_weights([-128, 1], width=8, group=2, budget=1).tolist() == [-128, 0]


@repeatable
@given(st.integers(1, 4), st.integers(1, 19), st.integers(1, 4), st.integers(0, 12), st.integers(0, 4), st.data())
def test_products_are_sums_over_pairs_of_terms(m, k_length, n, budget, s, draw):
    a = [[draw.draw(st.integers(-128, 127)) for _ in range(k_length)] for _ in range(m)]
    b = [[draw.draw(st.integers(-128, 127)) for _ in range(n)] for _ in range(k_length)]
    product = term_matmul(a, b, width=8, group=4, budget=budget, data_terms=s)
    for row in range(m):
        for column in range(n):
            total = 0
            for start in range(0, k_length, 4):
                for exponent, index, sign in keep(
                    [b[i][column] for i in range(start, min(start + 4, k_length))], budget
                ):
                    for other, _, other_sign in keep([a[row][start + index]], s):
                        total += sign * other_sign << exponent + other
            assert product[row, column] == total


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_terms(digits_of([1], 8), -1), "s must be from 0 to 1048576, not -1"),
        (lambda: receding_water(digits_of([1], 8), -1, 8), "k must be from 0 to 1048576, not -1"),
        (lambda: receding_water(digits_of([1], 8), 1, 0), "group must be from 1 to 1048576, not 0"),
        (lambda: reveal_weights([0.5], width=8, group=8, budget=1), "value must be integers, not float64"),
        (lambda: reveal_data([128], width=8, terms=1), "value at (0,) must be from -128 to 127, not 128"),
        (lambda: term_queue([1], width=8, group=8, budget=-1), "budget must be from 0 to 1048576, not -1"),
        (
            lambda: term_matmul([[1]], [[1], [2]], width=8, group=8, budget=1, data_terms=1),
            "a and b must be matrices that multiply, not of shapes (1, 1) and (2, 1)",
        ),
        (lambda: quantize_integers([1.0, float("nan")], 8), "x at (1,) must be finite, not nan"),
        (lambda: quantize_integers([1.0], 17), "width must be from 2 to 16, not 17"),
    ],
)
def test_illegal_arguments_are_rejected(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_floats_are_rounded_to_even_with_one_scale_per_tensor_or_channel():
    x = np.array([[127.0, 0.5, 1.5, -2.5], [-12.7, 0.0, 1.27, 6.35]])
    assert quantize_integers(x, 8).integers.tolist() == [[127, 0, 2, -2], [-13, 0, 1, 6]]
    by_channel = quantize_integers(x, 8, channel=0)
    assert by_channel.scale.shape == (2, 1)
    assert by_channel.integers[1].tolist() == [-127, 0, 13, 64]
    assert quantize_integers(np.zeros(3), 8).scale.tolist() == [1.0]
