"""The ``train`` and ``schedules`` commands: what they print, write, keep and refuse."""

import json

import pytest
from click.testing import CliRunner

from lowtide.cli import main
from lowtide_studies.engine_training.command import train_command
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import train
from lowtide_studies.networks.digits import Digits
from lowtide_studies.precision_schedules import study as comparison
from lowtide_studies.precision_schedules.command import schedules

TINY = ["--schedule", "fp32,adaptive,fixed-2", "--seeds", "2", "--steps", "4", "--evaluate", "2", "--processes", "1"]


def invoke(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a tiny comparison has been."""
    folder = tmp_path_factory.mktemp("schedules")
    result = invoke(schedules, *TINY, "--target", 10, "--folder", folder)
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


def test_train_prints_and_writes_what_came_out(tmp_path):
    result = invoke(train_command, "--steps", 3, "--set", "schedule.alpha=0.5", "--folder", tmp_path)
    assert result.exit_code == 0, result.output
    due = train(Run(steps=3, options={"alpha": 0.5}))
    assert due.sha256 in result.stdout
    assert f"{100 * due.accuracy:.2f} %" in result.stdout
    (picture,), (data,), (log,) = (list(tmp_path.glob(f"*.{suffix}")) for suffix in ("png", "json", "log"))
    for file in (picture, data, log):
        assert str(file) in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = invoke(train_command, "--steps", 3, "--set", "schedule.alpha=0.5", "--folder", tmp_path, "--json")
    figures = json.loads(again.stdout)
    assert figures == json.loads(data.read_text(encoding="utf-8"))
    assert figures["sha256"] == due.sha256
    assert figures["beats_per_pair"] == sum(step.beats for step in due.steps) / sum(step.pairs for step in due.steps)
    assert [step["loss"] for step in figures["steps"]] == [step.loss for step in due.steps]


def test_train_counts_the_cycles_of_an_engine(small, built_engine, tmp_path, monkeypatch):
    monkeypatch.setattr("lowtide_studies.engine_training.command.VerilatedEngine", lambda *_: built_engine)
    digits = Digits.load()
    monkeypatch.setattr(Digits, "load", lambda: Digits(digits.training.first(4), digits.held_out.first(2)))
    file = tmp_path / "small.toml"
    lines = []
    for section in ("array", "bfp", "engine"):
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in small.to_tables()[section].items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    arguments = ["--config", file, "--batch", 2, "--steps", 1, "--network", "perceptron", "--folder", tmp_path]
    result = invoke(train_command, *arguments, "--engine", "verilator", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["cycles"] > 1000


def test_a_log_may_have_any_name_and_belongs_to_one_run(tmp_path, capsys):
    log = tmp_path / "my.log"
    for seed, code in ((0, 0), (1, 1)):
        with pytest.raises(SystemExit) as exit_:
            main(["train", "--steps", "2", "--seed", str(seed), "--log", str(log), "--folder", str(tmp_path)])
        assert exit_.value.code == code
    assert capsys.readouterr().err == f"lowtide: seed must be 0, as in {log}, or the log another file, not 1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "big"], "network must be one of perceptron, wide-perceptron, convolution, not 'big'"),
        (["--schedule", "best"], "schedule must be one of fixed-2, fixed-4, low-then-high, adaptive, two-sided, "),
        (["--set", "schedule.alpha=x"], "schedule.alpha must be a number, not 'x'"),
        (["--set", "bfp.lanes=5"], "bfp.lanes must be one of 4, 8, 16, 32, 64, not 5"),
        (["--set", "bfp.mantissa=2", "--steps", "1"], "bfp.mantissa must be 4 or more, two chunks, not 2"),
        (["--epochs", "0"], "epochs must be from 1 to 1000, not 0"),
        (["--batch", "0"], "batch must be from 1 to 1150, not 0"),
        (["--rate", "-1"], "rate must be above 0 and below 100, not -1.0"),
    ],
)
def test_illegal_options_of_train_are_refused_in_one_line(arguments, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as exit_:
        main(["train", *arguments, "--folder", str(tmp_path)])
    assert exit_.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lowtide: {message}")
    assert error.count("\n") == 1


def test_steps_and_epochs_exclude_each_other(tmp_path):
    result = invoke(train_command, "--steps", 1, "--epochs", 1, "--folder", tmp_path)
    assert result.exit_code == 2
    assert "--steps and --epochs exclude each other" in result.output


def test_schedules_are_compared_in_a_table_and_a_picture(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    assert "perceptron, 4 steps of 32 images" in printed
    for name in ("fp32", "adaptive", "fixed-2"):
        assert f"│ {name} " in printed
    assert (folder / "schedules-perceptron.png").read_bytes().startswith(b"\x89PNG")


def test_runs_of_a_comparison_are_those_of_train(folder):
    figures = json.loads((folder / "schedules-perceptron.json").read_text(encoding="utf-8"))
    rate = figures["runs"]["adaptive"]["rate"]
    due = train(Run(schedule="adaptive", steps=4, evaluate=2, seed=1, rate=rate))
    outcome = figures["outcomes"]["adaptive"][1]
    assert outcome["sha256"] == due.sha256
    assert outcome["beats"] == [step.beats for step in due.steps]
    assert outcome["accuracies"] == due.accuracies


def test_finished_runs_of_a_comparison_are_kept(folder, monkeypatch):
    monkeypatch.setattr(comparison, "train", lambda *_: 1 / 0)
    result = invoke(schedules, *TINY, "--folder", folder, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "schedules-perceptron.json").read_text(encoding="utf-8")
    other = invoke(schedules, *TINY, "--steps", 5, "--folder", folder)
    assert isinstance(other.exception, ZeroDivisionError)


def test_help_has_examples():
    for command, example in ((train_command, "lowtide train --schedule"), (schedules, "lowtide schedules --quick")):
        result = invoke(command, "--help")
        assert result.exit_code == 0
        assert example in result.stdout
