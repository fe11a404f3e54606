"""The ``study`` command: what it prints, writes, keeps and refuses."""

import json

import pytest
from click.testing import CliRunner

from lowtide.cli import main
from lowtide_studies.gradient_rounding import study as study_module
from lowtide_studies.gradient_rounding.command import study

ROUNDINGS = ("nearest_even", "ideal", "plateau-space")
TINY = ["--setting", "large-steps,integer", "--rounding", ",".join(ROUNDINGS), "--seeds", "2", "--epochs", "1"]


def invoke(*arguments):
    return CliRunner().invoke(study, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a tiny study has been."""
    folder = tmp_path_factory.mktemp("study")
    result = invoke(*TINY, "--processes", 1, "--folder", folder)
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


def test_tables_and_files(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    assert "large-steps: BFP, 4 bits, gradients 2 bits; large steps that decay" in printed
    assert "1 epochs, batches of 32, rate 0.05, falling to zero, 2 seeds" in printed
    assert "integer: 8-bit integers; many small steps" in printed
    assert printed.count("3-bit plateau in space, half step") == 2
    assert "No verdict: that takes ideal rounding and 5 seeds or more." in printed
    assert str(folder / "study.png") in printed
    assert (folder / "study.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_every_run(folder):
    figures = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert figures["seeds"] == [0, 1]
    assert set(figures["versions"]) == {"lowtide", "numpy", "scikit-learn"}
    assert figures["settings"]["integer"]["arithmetic"] == {"bits": 7, "group": 16}
    assert [(r["setting"], r["rounding"]) for r in figures["results"]] == [
        (setting, rounding) for setting in ("large-steps", "integer") for rounding in ROUNDINGS
    ]
    for result in figures["results"]:
        accuracies = [run["accuracy"] for run in result["runs"]]
        assert result["accuracy"]["mean"] == pytest.approx(100 * sum(accuracies) / 2)
        assert all(0.3 < accuracy < 1 for accuracy in accuracies)
        assert all(len(run["losses"]) == 1 for run in result["runs"])


def test_finished_runs_are_not_trained_again(folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(study_module, "train", refuse)
    result = invoke(*TINY, "--processes", 1, "--folder", folder, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "study.json").read_text(encoding="utf-8")
    other = invoke(*TINY, "--processes", 1, "--folder", folder, "--epochs", 2)
    assert str(other.exception) == "trained again"


def test_changed_code_is_trained_again(folder, monkeypatch):
    monkeypatch.setattr(study_module, "fingerprint", lambda: "changed")
    monkeypatch.setattr(study_module, "train", lambda *_: 1 / 0)
    assert isinstance(invoke(*TINY, "--processes", 1, "--folder", folder).exception, ZeroDivisionError)


def test_two_processes_find_the_same(folder, tmp_path):
    result = invoke(*TINY, "--setting", "integer", "--processes", 2, "--folder", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    alone = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout)["results"] == alone["results"][3:]


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
def test_illegal_options_are_refused_in_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["study", *arguments])
    assert exit_.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lowtide: {message}")
    assert error.count("\n") == 1


def test_help_has_an_example():
    result = invoke("--help")
    assert result.exit_code == 0
    assert "lowtide study --quick" in result.stdout
