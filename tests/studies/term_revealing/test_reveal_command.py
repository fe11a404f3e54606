"""The ``reveal`` command: what it prints, writes and refuses."""

import json

import pytest
from click.testing import CliRunner

from lowtide.cli import main
from lowtide_studies.term_revealing import measured
from lowtide_studies.term_revealing.command import reveal

TINY = ["--network", "perceptron", "--bits", "8", "--quick"]


def invoke(*arguments):
    return CliRunner().invoke(reveal, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a small study has been, without synthesis."""
    folder = tmp_path_factory.mktemp("reveal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured, "ELEMENTS", {})
        result = invoke(*TINY, "--folder", folder)
    assert result.exit_code == 0, result.output
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def figures(folder):
    return json.loads((folder / "reveal.json").read_text(encoding="utf-8"))


def test_tables_and_files(folder):
    printed = (folder / "stdout").read_text(encoding="utf-8")
    for title in (
        "plain quantization: 2 seeds, split 1, held-out images",
        "the cheapest settings: 0.5 points lost or less on validation images, 2 standard errors included",
        "perceptron, 8 bits: settings that none beats in pairs and validation loss",
        "perceptron, 8 bits: held-out loss by group; hese, s=3",
        "perceptron, 8 bits: held-out loss by encoding; g=8, s=3",
        "plain quantization to fewer bits",
    ):
        assert title in printed
    assert "times fewer pairs than all bits" in printed
    assert str(folder / "reveal.png") in printed
    assert (folder / "reveal.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_every_setting_and_seed(figures):
    assert (figures["seeds"], figures["split"], figures["by_channel"]) == ([0, 1], 1, False)
    assert [chosen["cells"] for chosen in figures["elements"]] == [{}]
    assert set(figures["versions"]) == {"lowtide", "numpy", "scikit-learn"}
    [sweep] = figures["sweeps"]
    assert len(sweep["points"]) == 3 * 2 * 13 * 2
    for point in sweep["points"]:
        losses = [a - b for a, b in zip(sweep["plain"]["held_out"], point["held_out"], strict=True)]
        assert point["held_out_loss"]["mean"] == pytest.approx(sum(losses) / 2)
        assert max(point["present"]) <= point["bound"]
    assert {sweep["points"][place]["setting"]["group"] for place in sweep["front"]} <= {8, 16}


def test_revealing_saves_most_pairs_at_little_loss(figures):
    """Ten times fewer pairs than all bits, and two and a half than those there, at half a point: two seeds, loosely."""
    [sweep] = figures["sweeps"]
    assert min(sweep["plain"]["held_out"]) > 95
    [point] = [
        point
        for point in sweep["points"]
        if point["setting"] == {"encoding": "hese", "group": 16, "budget": 24, "data_terms": 2}
    ]
    assert point["held_out_loss"]["mean"] <= 0.5
    assert point["times_fewer"] > 15
    assert point["times_fewer_present"]["binary"] > 2.5


def test_json_on_standard_output(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "ELEMENTS", {})
    result = invoke(*TINY, "--folder", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (folder / "reveal.json").read_text(encoding="utf-8")


def test_one_seed_and_scales_of_channels_are_legal_json(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "ELEMENTS", {})
    result = invoke(*TINY, "--bits", "6", "--seeds", "1", "--by-channel", "--folder", tmp_path, "--json")
    figures = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(name))
    assert figures["by_channel"]
    assert figures["sweeps"][0]["points"][0]["held_out_loss"]["error"] is None


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
def test_illegal_options_are_refused_in_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["reveal", *arguments])
    assert exit_.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lowtide: {message}")
    assert error.count("\n") == 1


def test_help_has_an_example():
    result = invoke("--help")
    assert result.exit_code == 0
    assert "lowtide reveal --quick" in result.stdout
