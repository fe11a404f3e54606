"""The ``train`` command: its table, files and refusals."""

import json

import pytest

from fixtures.studies import run_command
from lowtide_studies.engine_training.command import command
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import train
from lowtide_studies.networks.digits import Digits


def test_train_prints_and_writes_what_came_out(tmp_path):
    result = run_command(command, "--steps", 3, "--set", "schedule.alpha=0.5", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    due = train(Run(steps=3, options={"alpha": 0.5}))
    assert due.sha256 in result.stdout
    assert f"{100 * due.accuracy:.2f} %" in result.stdout
    (picture,), (data,), (log,) = (list(tmp_path.glob(f"*.{suffix}")) for suffix in ("png", "json", "log"))
    for file in (picture, data, log):
        assert str(file) in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = run_command(command, "--steps", 3, "--set", "schedule.alpha=0.5", "--output", tmp_path, "--json")
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
    arguments = ["--config", file, "--batch", 2, "--steps", 1, "--network", "perceptron", "--output", tmp_path]
    result = run_command(command, *arguments, "--engine", "verilator", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["cycles"] > 1000


def test_a_log_may_have_any_name_and_belongs_to_one_run(tmp_path, refusal):
    log = tmp_path / "my.log"
    arguments = ("--steps", 2, "--log", log, "--output", tmp_path)
    assert run_command(command, *arguments, "--seed", 0).exit_code == 0
    assert refusal(command, *arguments, "--seed", 1) == f"seed must be 0, as in {log}, or the log another file, not 1"


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
def test_illegal_options_are_refused_in_one_line(arguments, message, refusal):
    assert refusal(command, *arguments).startswith(message)


def test_steps_and_epochs_exclude_each_other(tmp_path):
    result = run_command(command, "--steps", 1, "--epochs", 1, "--output", tmp_path)
    assert result.exit_code == 2
    assert "--steps conflicts with --epochs" in result.output


def test_help_has_an_example():
    result = run_command(command, "--help")
    assert result.exit_code == 0
    assert "lowtide train --schedule" in result.stdout
