"""The study of gradient rounding: its tables, files, kept runs and refusals."""

import json

import pytest

from fixtures.studies import run_command
from lowtide_studies.gradient_rounding import study as study_module
from lowtide_studies.gradient_rounding.command import command

ROUNDINGS = ("nearest_even", "ideal", "plateau-space")
TINY = ["--setting", "large-steps,integer", "--rounding", ",".join(ROUNDINGS), "--seeds", "2", "--epochs", "1"]


def arguments(folder):
    return [*TINY, "--output", folder, "--storage", folder / "runs.journal"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the files and the standard output of a tiny study."""
    folder = tmp_path_factory.mktemp("study")
    result = run_command(command, *arguments(folder))
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


def test_tables_and_files(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    assert "large-steps: BFP, 4 bits, gradients 2 bits; large steps that decay" in printed
    assert "1 epochs, batches of 32, rate 0.05, falling to zero, 2 seeds" in printed
    assert "integer: 8-bit integers; many small steps" in printed
    assert printed.count("3-bit plateau in space, half step") == 2
    assert "No verdict: a verdict needs ideal rounding and 5 seeds or more." in printed
    assert str(folder / "gradient-rounding.png") in printed
    assert (folder / "gradient-rounding.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_every_run(folder):
    figures = json.loads((folder / "gradient-rounding.json").read_text(encoding="utf-8"))
    assert figures["settings"]["seeds"] == [0, 1]
    assert set(figures["versions"]) >= {"lowtide", "numpy", "scikit-learn"}
    assert figures["settings"]["settings"]["integer"]["arithmetic"] == {"bits": 7, "group": 16}
    assert [(row["setting"], row["rounding"]) for row in figures["rows"]] == [
        (setting, rounding) for setting in ("large-steps", "integer") for rounding in ROUNDINGS
    ]
    for row in figures["rows"]:
        accuracies = [run["accuracy"] for run in row["runs"]]
        assert row["accuracy"]["mean"] == pytest.approx(100 * sum(accuracies) / 2)
        assert all(0.3 < accuracy < 1 for accuracy in accuracies)
        assert all(len(run["losses"]) == 1 for run in row["runs"])


def test_finished_runs_are_not_trained_again(folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(study_module, "train", refuse)
    result = run_command(command, *arguments(folder), "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "gradient-rounding.json").read_text(encoding="utf-8")
    other = run_command(command, *arguments(folder), "--epochs", 2)
    assert str(other.exception) == "trained again"


def test_changed_code_is_trained_again(folder, monkeypatch):
    monkeypatch.setattr(study_module, "training_inputs", lambda: ("changed",))
    monkeypatch.setattr(study_module, "train", lambda *_: 1 / 0)
    assert isinstance(run_command(command, *arguments(folder)).exception, ZeroDivisionError)


def test_two_processes_compute_equal_results(folder, tmp_path):
    result = run_command(command, *arguments(tmp_path), "--setting", "integer", "--processes", 2, "--json")
    assert result.exit_code == 0, result.output
    alone = json.loads((folder / "gradient-rounding.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout)["rows"] == alone["rows"][3:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--setting", "big"], "setting must be one of small-steps, large-steps, integer, convolution, not 'big'"),
        (["--rounding", "ideal,plato"], "rounding must be one of fp32, nearest, nearest_even, truncate, ideal, "),
        (["--rounding", ","], "rounding must be one of "),
        (["--seeds", "0"], "seeds must be from 1 to 1000, not 0"),
        (["--epochs", "x"], "epochs must be from 1 to 1000, not 'x'"),
        (["--processes", "0"], "processes must be from 1 to 256, not 0"),
    ],
)
def test_illegal_options_are_refused_in_one_line(arguments, message, refusal):
    assert refusal(command, *arguments).startswith(message)
