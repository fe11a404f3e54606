"""The ``sim`` command: its tables, files and refusals."""

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from fixtures.studies import run_command
from lowtide_model.tiling import Tiling
from lowtide_sim.simulated_array import Product, SimulatedArray
from lowtide_studies.workload import command as command_module
from lowtide_studies.workload.command import command

SMALL = "[array]\nrows = 1\ncolumns = 4\n[bfp]\nlanes = 32\nchunk_a = 4\nchunk_b = 4\nmantissa = 8\n"

PAGE = Path(__file__).parents[3] / "docs" / "studies" / "workload.md"
IMAGES = 360


def least(accuracy):
    """Three standard errors below: other versions of NumPy train a slightly different network."""
    return accuracy - 3 * math.sqrt(accuracy * (1 - accuracy) / IMAGES)


@pytest.fixture
def small(tmp_path):
    """A configuration that takes few cycles."""
    file = tmp_path / "small.toml"
    file.write_text(SMALL, encoding="utf-8")
    return str(file)


@pytest.fixture
def icarus():
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")


@pytest.mark.usefixtures("icarus")
def test_one_image_on_a_small_array(small, tmp_path):
    """Every layer goes through the simulation; table, picture and JSON tell of it."""
    folder = tmp_path / "out"
    result = run_command(
        command, small, "--set", "bfp.max_k=130", "--simulator", "icarus", "--images", 1, "--output", folder
    )
    assert result.exit_code == 0, result.output
    assert "1 × 4 fmac, 32 lanes, chunks of 4 × 4 bits" in result.stdout
    assert f"(configuration {small}, bfp.max_k = 130)" in result.stdout
    assert "1 held-out image, network 64-128-64-10" in result.stdout
    assert result.stdout.endswith("Every word equals the golden model's.\n")
    assert "256 × 512 × 256" not in result.stdout
    assert (folder / "digits.png").read_bytes().startswith(b"\x89PNG")
    figures = json.loads((folder / "digits.json").read_text(encoding="utf-8"))
    assert [(run["bits_a"], run["bits_b"]) for run in figures["precisions"]] == [(8, 8), (4, 4)]
    for run in figures["precisions"]:
        assert run["words"] == run["equal"] == 128 + 64 + 12
        assert [layer["tiles"] for layer in run["layers"]] == [32, 16, 3]
        assert run["cycles"] == sum(layer["cycles"] for layer in run["layers"])


def test_a_word_that_differs_is_a_failure(small, tmp_path, monkeypatch):
    """One line names the layer, and the exit code is 1."""

    def products(self, operands):
        """What a faulty array gives: zeros."""
        self.seconds = 1.0
        tilings = [Tiling(a=a, b=b, config=self.config) for a, b in operands]
        return [
            Product(tiling=tiling, words=tiling.padded(np.zeros(tiling.shape, int)), cycles=tiling.beats)
            for tiling in tilings
        ]

    monkeypatch.setattr(SimulatedArray, "products", products)
    monkeypatch.setattr(command_module, "check_installed", lambda _: None)
    result = run_command(command, small, "--images", 2, "--output", tmp_path)
    assert result.exit_code == 1
    assert re.fullmatch(
        r"not equal to the golden model: \d+ of 256 words of layer 1 at 8×8; .*; .* words of layer 3 at 4×4",
        str(result.exception),
    )


def test_missing_simulator_is_named_in_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    result = run_command(command, "--simulator", "icarus")
    assert result.exit_code == 1
    assert str(result.exception) == "Icarus is not installed: apt-get install iverilog"


def test_unknown_preset_is_named_in_one_line():
    result = run_command(command, "tinny")
    assert result.exit_code == 1
    assert str(result.exception).startswith("no preset 'tinny', did you mean tiny?")
    assert "\n" not in str(result.exception)


def test_an_array_of_terms_is_refused_in_one_line(tmp_path):
    result = run_command(command, "terms", "--output", tmp_path)
    assert result.exit_code == 1
    assert str(result.exception) == (
        "array.element must be fmac for this workload, not 'tmac'; lowtide study term-revealing runs networks"
        " with terms"
    )


def test_help_has_an_example():
    result = run_command(command, "--help")
    assert result.exit_code == 0
    assert "lowtide sim tiny --simulator icarus --waves" in result.stdout


@pytest.mark.slow
def test_every_held_out_image(tmp_path):
    result = run_command(command, "--output", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["images"] == IMAGES
    assert figures["fp32_accuracy"] >= least(0.9806)
    runs = {f"{run['bits_a']}×{run['bits_b']}": run for run in figures["precisions"]}
    text = PAGE.read_text(encoding="utf-8")
    # Cycles are exact. Accuracies are with the versions of constraints.txt.
    rows = re.findall(r"^\| (\d)×(\d) \| ([\d.]+) % \| [\d.]+ % \| ([\d,]+) ", text, re.MULTILINE)
    assert list(runs) == [f"{bits_a}×{bits_b}" for bits_a, bits_b, *_ in rows]
    for run, (bits_a, bits_b, accuracy, cycles) in zip(runs.values(), rows, strict=True):
        assert run["words"] == run["equal"] == IMAGES * (128 + 64 + 16)
        assert run["accuracy"] >= least(float(accuracy) / 100)
        assert run["cycles"] == int(cycles.replace(",", ""))
        busy = IMAGES * (64 * 128 + 128 * 64 + 64 * 10) // 16 * int(bits_a) * int(bits_b) // 4
        assert run["utilization"] == round(busy / (64 * run["cycles"]), 4)
    assert [run["words"] == run["equal"] == 256 * 256 for run in figures["large"]] == [True, True]
    large = re.findall(r"^\| \d×\d \| ([\d,]+) \| [\d.]+ \| [\d.]+ % \| 65,536 \|$", text, re.MULTILINE)
    assert [f"{run['cycles']:,}" for run in figures["large"]] == large
