"""Figures of comparisons, from given outcomes, and the command."""

import json
import math

import pytest

from fixtures.studies import run_command
from lowtide_studies.engine_training.report import beats_per_pair, cycles, high_shares
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import Step, train
from lowtide_studies.precision_schedules import study as study_module
from lowtide_studies.precision_schedules.command import command
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
    [
        (0.6, (2, 0), (30, 0), 2),
        (0.8, (2.5, 0.5), (50, 20), 2),
        (0.9, (3, math.nan), (70, math.nan), 1),
        (0.95, (math.nan, math.nan), (math.nan, math.nan), 0),
    ],
)
def test_an_accuracy_is_reached_by_those_seeds_that_reach_it(found, target, steps, beats, count):
    assert found.reached("adaptive", lambda o: o.steps_to(target)) == pytest.approx((*steps, count), nan_ok=True)
    assert found.reached("adaptive", lambda o: o.beats_to(target)) == pytest.approx((*beats, count), nan_ok=True)


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


TINY = ["--schedule", "fp32,adaptive,fixed-2", "--seeds", "2", "--steps", "4", "--evaluate", "2", "--accuracy", "10"]


def arguments(folder):
    return [*TINY, "--output", folder, "--storage", folder / "runs.journal"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the files and the standard output of a tiny comparison."""
    folder = tmp_path_factory.mktemp("schedules")
    result = run_command(command, *arguments(folder))
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


def test_schedules_are_compared_in_a_table_and_a_plot(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    assert "perceptron, 4 steps of 32 images" in printed
    for name in ("fp32", "adaptive", "fixed-2"):
        assert f"\n {name} " in printed
    assert (folder / "precision-schedules.png").read_bytes().startswith(b"\x89PNG")


def test_runs_of_a_comparison_are_those_of_train(folder):
    figures = json.loads((folder / "precision-schedules.json").read_text(encoding="utf-8"))
    rate = figures["settings"]["runs"]["adaptive"]["rate"]
    expected = train(Run(schedule="adaptive", steps=4, evaluate=2, seed=1, rate=rate))
    (row,) = [row for row in figures["rows"] if (row["schedule"], row["seed"]) == ("adaptive", 1)]
    assert row["sha256"] == expected.sha256
    assert row["beats"] == [step.beats for step in expected.steps]
    assert row["accuracies"] == expected.accuracies


def test_finished_runs_of_a_comparison_are_kept(folder, monkeypatch):
    monkeypatch.setattr(study_module, "train", lambda *_: 1 / 0)
    result = run_command(command, *arguments(folder), "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "precision-schedules.json").read_text(encoding="utf-8")
    other = run_command(command, *arguments(folder), "--steps", 5)
    assert isinstance(other.exception, ZeroDivisionError)
