"""Choices, fronts, ratios and effects, on sweeps made by hand."""

import attrs
import pytest

from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.selection import by_present, cheapest, effects, front
from lowtide_studies.term_revealing.sweep import Plain, Point, Sweep

PLAIN = Plain(
    fp32=[98.0, 98.0],
    validation=[97.0, 97.0],
    held_out=[96.0, 96.0],
    present={"binary": [5.0, 7.0], "booth": [4.0, 4.0], "hese": [3.0, 3.0]},
)


def point(budget, losses, *, held_out=(0.0, 0.0), present=1.0, **changes):
    """A point of groups of 8 with these losses of each seed."""
    setting = Setting(**{"encoding": "hese", "group": 8, "budget": budget, "data_terms": 2} | changes)
    return Point(
        setting=setting,
        validation=[97 - loss for loss in losses],
        held_out=[96 - loss for loss in held_out],
        present=[present, present],
        at_most=2 * setting.bound,
    )


def sweep(*points, plain=PLAIN):
    return Sweep(network="perceptron", width=8, plain=plain, points=list(points))


def test_the_cheapest_needs_two_standard_errors_too():
    risky, sure, dear = point(4, [0.1, 0.5]), point(8, [0.15, 0.25]), point(16, [0.0, 0.0])
    # 0.3 ± 0.2 may be 0.7; 0.2 ± 0.05 is about 0.3.
    assert cheapest(sweep(risky, sure, dear)) is sure


def test_of_equal_costs_the_better_is_taken_and_held_out_images_have_no_say():
    worse, better = point(8, [0.2, 0.2]), point(16, [0.1, 0.1], group=16, held_out=(9.0, 9.0))
    assert cheapest(sweep(worse, better)) is better


def test_costs_may_be_pairs_really_there():
    few, many = point(16, [0.1, 0.1], present=0.9), point(8, [0.1, 0.1], present=1.5)
    assert cheapest(sweep(few, many), by_present) is few
    assert cheapest(sweep(few, many)) is many


def test_there_may_be_none():
    assert cheapest(sweep(point(4, [0.5, 0.6]))) is None


def test_one_seed_has_no_margin():
    one = attrs.evolve(PLAIN, validation=[97.0], held_out=[96.0])
    only = attrs.evolve(point(4, [0.5, 0.5]), validation=[96.5], held_out=[96.0])
    assert cheapest(sweep(only, plain=one)) is only


def test_front():
    a, b, c, d = point(4, [3, 3]), point(8, [1, 1]), point(12, [2, 2]), point(16, [0, 0])
    same_cost = point(16, [2, 2], group=16)
    assert front(sweep(d, c, same_cost, b, a)) == [a, b, d]


def test_ratios():
    one = point(12, [0, 0], present=1.5)
    found = sweep(one)
    assert one.setting.bound == 3
    assert found.times_fewer(one) == pytest.approx(49 / 3)
    assert found.times_fewer_at_most(one) == pytest.approx(49 / 6)
    assert (found.times_fewer_present(one), found.times_fewer_present(one, "hese")) == (4, 2)
    assert (found.present_to_bound(one), found.present_to_bound(one, "hese")) == (2, 1)


def test_losses_are_counted_seed_by_seed():
    loss = sweep().loss(point(8, [0, 0], held_out=(0.5, 1.5)))
    assert (loss.mean, loss.error) == (1, 0.5)


def test_effects_hold_the_other_fixed():
    points = [
        point(4, [0, 0], group=4, data_terms=3),
        point(8, [0, 0], data_terms=3),
        point(4, [0, 0], data_terms=1),
        point(8, [0, 0], encoding="booth", data_terms=3),
        point(8, [0, 0], encoding="booth", group=4, data_terms=3),
    ]
    by_group, by_encoding = (effects(sweep(*points), what) for what in ("group", "encoding"))
    assert [(e.value, e.by_budget, e.cheapest) for e in by_group] == [
        (4, {1: points[0]}, points[0]),
        (8, {1: points[1]}, points[2]),
    ]
    assert [(e.value, e.by_budget) for e in by_encoding] == [("hese", {1: points[1]}), ("booth", {1: points[3]})]
