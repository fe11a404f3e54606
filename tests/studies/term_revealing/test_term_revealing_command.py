"""The command of term revealing: its tables, files and refusals."""

import json

import pytest

from fixtures.studies import run_command
from lowtide_studies.term_revealing import area_time
from lowtide_studies.term_revealing.command import command

TINY = ["--network", "perceptron", "--bits", "8", "--quick"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the files and the standard output of a small study, without synthesis."""
    folder = tmp_path_factory.mktemp("reveal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(area_time, "ELEMENTS", {})
        result = run_command(command, *TINY, "--output", folder, "--storage", folder / "jobs.journal")
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def figures(folder):
    return json.loads((folder / "term-revealing.json").read_text(encoding="utf-8"))


def test_tables_and_files(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    for title in (
        "plain quantization: 2 seeds, split 1, held-out images",
        "cheapest settings: validation loss of 0.5 points or less with 2 standard errors",
        "perceptron, 8 bits: Pareto front of pairs and validation loss",
        "perceptron, 8 bits: held-out loss by group; hese, s=3",
        "perceptron, 8 bits: held-out loss by encoding; g=8, s=3",
        "plain quantization to fewer bits",
    ):
        assert title in printed
    assert "times fewer pairs than all bits" in printed
    assert str(folder / "term-revealing.png") in printed
    assert (folder / "term-revealing.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_every_setting_and_seed(figures):
    known = figures["settings"]
    assert (known["seeds"], known["split"], known["by_channel"]) == ([0, 1], 1, False)
    assert [row["elements"]["cells"] for row in figures["rows"]] == [{}]
    assert set(figures["versions"]) >= {"lowtide", "numpy", "scikit-learn"}
    [sweep] = figures["rows"]
    assert len(sweep["points"]) == 3 * 2 * 13 * 2
    for point in sweep["points"]:
        losses = [a - b for a, b in zip(sweep["plain"]["held_out"], point["held_out"], strict=True)]
        assert point["held_out_loss"]["mean"] == pytest.approx(sum(losses) / 2)
        assert max(point["present"]) <= point["bound"]
    assert {sweep["points"][place]["setting"]["group"] for place in sweep["front"]} <= {8, 16}


def test_revealing_saves_most_pairs_at_little_loss(figures):
    """With two seeds: 15 times fewer pairs than all bits, 2.5 times fewer than nonzero bits, half a point lost."""
    [sweep] = figures["rows"]
    assert min(sweep["plain"]["held_out"]) > 95
    [point] = [
        point
        for point in sweep["points"]
        if point["setting"] == {"encoding": "hese", "group": 16, "budget": 24, "data_terms": 2}
    ]
    assert point["held_out_loss"]["mean"] <= 0.5
    assert point["times_fewer"] > 15
    assert point["times_fewer_present"]["binary"] > 2.5


def test_json_on_standard_output(folder, run_study, monkeypatch):
    monkeypatch.setattr(area_time, "ELEMENTS", {})
    result = run_study(command, *TINY, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "term-revealing.json").read_text(encoding="utf-8")


def test_one_seed_and_scales_of_channels_are_legal_json(run_study, monkeypatch):
    monkeypatch.setattr(area_time, "ELEMENTS", {})
    result = run_study(command, *TINY, "--bits", "6", "--seeds", "1", "--by-channel", "--json")
    figures = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(name))
    assert figures["settings"]["by_channel"]
    assert figures["rows"][0]["points"][0]["held_out_loss"]["error"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "resnet"], "network must be one of perceptron, convolution, not 'resnet'"),
        (["--bits", "8,16"], "bits must be from 4 to 8, not 16"),
        (["--bits", "eight"], "bits must be from 4 to 8, not 'eight'"),
        (["--seeds", "0"], "seeds must be from 1 to 1000, not 0"),
        (["--split", "-1"], "split must be from 0 to 999, not -1"),
    ],
)
def test_illegal_options_are_refused_in_one_line(arguments, message, refusal):
    assert refusal(command, *arguments).startswith(message)
