"""Figures of comparisons, from outcomes that are written out."""

import math

import pytest

from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.summary import beats_per_pair, cycles, high_shares
from lowtide_studies.engine_training.trainer import Step
from lowtide_studies.precision_schedules.study import Comparison, Outcome


def outcome(accuracy, first, chunks=(1, 2, 2)):
    return Outcome(
        accuracy=accuracy,
        loss=0.5,
        sha256="",
        accuracies=[[2, first], [3, accuracy]],
        pairs=[10, 10, 20],
        beats=[10, 20, 40],
        chunks={"0.forward.weights": list(chunks), "1.forward.weights": [2, 2, 2], "0.forward.activations": [1, 1, 1]},
    )


@pytest.fixture
def found():
    plain = Outcome(accuracy=0.9, loss=0.1, sha256="", accuracies=[[3, 0.9]], pairs=[0], beats=[0], chunks={})
    return Comparison(
        runs={"fp32": Run(schedule="fp32"), "adaptive": Run()},
        seeds=(0, 1),
        outcomes={"fp32": [plain, plain], "adaptive": [outcome(0.9, 0.8), outcome(0.8, 0.6)]},
    )


def test_accuracies_are_compared_seed_by_seed(found):
    assert found.accuracy("adaptive").mean == pytest.approx(85)
    assert found.difference("adaptive").mean == pytest.approx(-5)
    assert found.difference("adaptive").error == pytest.approx(5)


@pytest.mark.parametrize(
    ("target", "steps", "beats", "count"),
    [(0.6, 2, 30, 2), (0.8, 2.5, 50, 2), (0.9, 3, 70, 1), (0.95, math.nan, math.nan, 0)],
)
def test_an_accuracy_is_reached_by_those_seeds_that_reach_it(found, target, steps, beats, count):
    assert found.reached("adaptive", lambda o: o.steps_to(target)) == pytest.approx((steps, count), nan_ok=True)
    assert found.reached("adaptive", lambda o: o.beats_to(target)) == pytest.approx((beats, count), nan_ok=True)


def test_beats_and_precision_of_a_run(found):
    one, plain = found.outcomes["adaptive"][0], found.outcomes["fp32"][0]
    assert one.beats_per_pair == 70 / 40
    assert one.high("weights") == 5 / 6
    assert one.high("activations") == 0
    assert math.isnan(plain.beats_per_pair)
    assert math.isnan(plain.high("weights"))
    assert plain.beats_to(0.9) is None


def test_steps_are_summed_up_by_sizes():
    steps = [
        Step(step=0, loss=1, chunks={"0.forward.weights": 2}, ratios={}, pairs=10, beats=20, cycles=5),
        Step(step=1, loss=1, chunks={"0.forward.weights": 1}, ratios={}, pairs=30, beats=30, cycles=6),
    ]
    assert beats_per_pair(steps) == 50 / 40
    assert high_shares(steps) == {"weights": 0.5}
    assert cycles(steps) == 11
    assert cycles([*steps, Step(step=2, loss=1, chunks={}, ratios={}, pairs=0, beats=0, cycles=None)]) is None
    assert beats_per_pair([]) is None
