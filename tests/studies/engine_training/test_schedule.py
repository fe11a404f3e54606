"""Schedules of precision, against their rules."""

import pytest

from lowtide.formats import IllegalValue
from lowtide_model import Improvement
from lowtide_studies.engine_training.schedule import SCHEDULES, Adaptive, Last, LowThenHigh, Moment, TwoSided, Use, uses

USE = Use(1, "forward", "weights")


def moment(step=0, steps=100, layers=4):
    return Moment(step=step, steps=steps, layers=layers)


def last(ratio, chunks=1, held=100):
    return Last(chunks=chunks, ratio=Improvement(low_sum=round(1000 * ratio), high_sum=1000), held=held)


@pytest.mark.parametrize(("name", "chunks"), [("fixed-2", 1), ("fixed-4", 2)])
def test_fixed_is_always_the_same(name, chunks):
    schedule = SCHEDULES[name]()
    assert {schedule.chunks(use, moment(step), None) for use in uses(3) for step in range(100)} == {chunks}


@pytest.mark.parametrize(("share", "change"), [(0, 0), (0.5, 50), (0.505, 51), (1, 100)])
def test_low_then_high_changes_once(share, change):
    found = [LowThenHigh(share=share).chunks(USE, moment(step), None) for step in range(100)]
    assert found == [1] * change + [2] * (100 - change)


def test_adaptive_compares_the_ratio_with_a_falling_threshold():
    schedule = Adaptive(alpha=0.6, beta=0.3)
    for layer in range(4):
        for step in range(0, 100, 7):
            epsilon = 0.6 - 0.3 * step / 100 - 0.3 * layer / 4
            use = Use(layer, "to_inputs", "gradients")
            assert schedule.chunks(use, moment(step), last(epsilon + 0.003)) == 2
            assert schedule.chunks(use, moment(step), last(epsilon - 0.003)) == 1


def test_adaptive_starts_high():
    assert Adaptive().chunks(USE, moment(), None) == 2


def test_a_threshold_in_256ths_is_not_exceeded_by_itself():
    """0.5 is 128 / 256: a ratio of one half does not exceed it, one that is larger by the least does."""
    schedule = Adaptive(alpha=0.5, beta=0)
    for rest, chunks in ((1000, 1), (1001, 2)):
        assert (
            schedule.chunks(USE, moment(), Last(chunks=1, ratio=Improvement(low_sum=rest, high_sum=2000), held=1))
            == chunks
        )


def test_thresholds_beyond_a_controllers_are_held():
    assert Adaptive(alpha=0, beta=3).threshold(3, moment(99)) == 0
    assert Adaptive(alpha=3, beta=0).threshold(0, moment()) == 768


def test_two_sided_keeps_what_it_has_between_its_thresholds():
    schedule = TwoSided(low=0.4, high=0.5, hold=3)
    for chunks in (1, 2):
        assert schedule.chunks(USE, moment(9), last(0.45, chunks)) == chunks
        assert schedule.chunks(USE, moment(9), last(0.51, chunks)) == 2
        assert schedule.chunks(USE, moment(9), last(0.39, chunks)) == 1
    assert schedule.chunks(USE, moment(), None) == 2


def test_two_sided_holds_for_some_steps():
    schedule = TwoSided(low=0.4, high=0.5, hold=3)
    assert [schedule.chunks(USE, moment(9), last(0.1, 2, held)) for held in (1, 2, 3)] == [2, 2, 1]
    assert [schedule.chunks(USE, moment(9), last(0.9, 1, held)) for held in (1, 2, 3)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adaptive(alpha=-0.1), "alpha must be from 0 to 3, not -0.1"),
        (lambda: Adaptive(beta=3.1), "beta must be from 0 to 3, not 3.1"),
        (lambda: LowThenHigh(share=1.5), "share must be from 0 to 1, not 1.5"),
        (lambda: TwoSided(low=0.6, high=0.5), "low must be at most high, 0.5, not 0.6"),
        (lambda: TwoSided(hold=0), "hold must be from 1 to 1000000, not 0"),
    ],
)
def test_illegal_parameters_are_refused_by_name(make, message):
    with pytest.raises(IllegalValue) as error:
        make()
    assert str(error.value) == message


def test_no_layer_needs_the_gradient_to_the_first_inputs():
    assert len(uses(1)) == 4
    assert len(uses(3)) == 16
    assert [use.key for use in uses(1)] == [
        "0.forward.activations",
        "0.forward.weights",
        "0.to_weights.activations",
        "0.to_weights.gradients",
    ]
