"""The command ``lowtide run``."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import graph_of, node, random, save

import lowtide_onnx
from fixtures.engines import SMALL_ENGINE
from lowtide.config import Config


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A file with two layers, in the current folder."""
    monkeypatch.chdir(tmp_path)
    nodes = [
        node("Conv", ["image", "w"], ["h"], name="stem", pads=[1, 1, 1, 1]),
        node("Relu", ["h"], ["r"]),
        node("GlobalAveragePool", ["r"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", "v"], ["y"], name="head"),
    ]
    stored = {"w": random(4, 3, 3, 3), "v": random(4, 2)}
    graph = graph_of(nodes, {"image": ["batch", 3, "height", "width"]}, ["y"], stored)
    return save(tmp_path, graph)


def test_a_simulation_reports_its_cycles_first(lowtide, model, monkeypatch, built_engine, libraries):
    monkeypatch.setattr("lowtide_onnx.engines.COMPILED", libraries)
    monkeypatch.setattr(Config, "load", lambda _: SMALL_ENGINE)
    command = ("run", model.name, "--shape", "image=2,3,6,5", "--json")
    golden, simulated = lowtide(*command), lowtide(*command, "--on", "verilator")
    assert json.loads(golden.out) == json.loads(simulated.out)
    cycles = sum(layer["cost"]["cycles"] for layer in json.loads(golden.out)["layers"])
    first, *others = simulated.err.splitlines()[1:]
    assert first == f"Simulating {cycles:,} cycles or more; first building the engine, if it is new"
    # A slow machine also reports parts of a layer, with the time left.
    finished = [line.partition(" (")[0] for line in others if re.match(r"Layers: \d+ of 2", line)]
    assert finished == ["Layers: 1 of 2, stem", "Layers: 2 of 2, head"]


def test_report_of_random_inputs(lowtide, model):
    ended = lowtide("run", model.name, "--shape", "image=2,3,6,5", "-o", "out")
    assert ended.code == 0, ended.err
    first, *lines = ended.out.splitlines()
    assert first == "Random inputs, seed 1: image (2, 3, 6, 5)"
    assert [line.split()[0] for line in lines if " × " in line and "MMAC" not in line][1:] == ["stem", "head"]
    assert "60 × 27 × 4" in ended.out
    assert lines[-4:-1] == [f"out/network.{ending}" for ending in ("png", "json", "npz")]
    assert ended.err == "Layers: 1 of 2, stem\nLayers: 2 of 2, head\n"
    network = lowtide_onnx.load_onnx(model)
    expected = network.predict(network.random_inputs(1, {"image": (2, 3, 6, 5)}))
    with np.load("out/network.npz") as saved:
        np.testing.assert_array_equal(saved["y"], expected["y"])


def test_sizes_that_the_model_leaves_open_are_one(lowtide, model):
    ended = lowtide("run", model.name, "--quiet")
    assert "Random inputs, seed 1: image (1, 3, 1, 1)" in ended.out
    assert ended.err == ""


def test_json_equals_the_report_of_the_library(lowtide, model, tmp_path):
    x = random(2, 3, 6, 5)
    np.savez("inputs.npz", image=x)
    precision = ["--precision", "2", "--precision", "he*=4x2"]
    ended = lowtide(
        "run", model.name, "--inputs", "inputs.npz", *precision, "--operands", "packed", "--json", "--quiet"
    )
    assert (ended.code, ended.err) == (0, "")
    report = lowtide_onnx.load_onnx(model).report(x, {"*": 2, "head": (4, 2)}, operands="packed", seed=1)
    assert json.loads(ended.out) == json.loads(report.json())
    assert ended.out == (tmp_path / "build" / "run" / "network.json").read_text()


def test_list(lowtide, model, tmp_path):
    ended = lowtide("run", model.name, "--list")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{lowtide_onnx.load_onnx(model)}\n"
    listed = json.loads(lowtide("run", model.name, "--list", "--json").out)
    assert [one["where"] for one in listed["nodes"]] == ["engine", "host", "host", "host", "engine"]
    assert not (tmp_path / "build").exists()


def test_check(lowtide, model):
    ended = lowtide("run", model.name, "--check", "--shape", "image=1,3,4,4", "--quiet")
    assert "2 layers and 3 nodes on the host equal onnxruntime's within the bounds" in ended.out


def test_engine_and_changed_keys(lowtide, model):
    ended = lowtide(
        "run", model.name, "--engine", "tiny", "--set", "array.rows=4", "--json", "--quiet", "--precision", "fp32"
    )
    assert json.loads(ended.out)["config"]["array"]["rows"] == 4


def test_stochastic_rounding_has_the_seed(lowtide, model):
    def outputs(seed):
        ended = lowtide(
            "run", model.name, "--inputs", "inputs.npz", "--rounding", "stochastic", "--seed", seed, "--quiet"
        )
        assert ended.code == 0
        with np.load("build/run/network.npz") as saved:
            return saved["y"]

    np.savez("inputs.npz", image=random(2, 3, 6, 5))
    np.testing.assert_array_equal(outputs(2), outputs(2))
    assert (outputs(2) != outputs(3)).any()


def test_board(lowtide, model, monkeypatch, port):
    """The board keeps its configuration without --engine."""
    from lowtide_boards.driver.device import Device

    monkeypatch.setattr(Device, "open", lambda name: Device(port, name))
    command = ("run", model.name, "--on", "board", "--port", "here", "--json", "--quiet", "--shape", "image=1,3,2,2")
    found = json.loads(lowtide(*command).out)
    assert found["config"]["array"]["columns"] == 2
    refused = lowtide(*command, "--engine", "default")
    assert refused.code == 1
    assert refused.err.startswith("lowtide: the engine must have array.rows = 8, as the network, not 1")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere.onnx"], 1, "cannot read nowhere.onnx: no such file"),
        (["network.onnx", "--inputs", "nowhere.npz"], 1, "cannot read nowhere.npz: No such file or directory"),
        (["network.onnx", "--inputs", "network.onnx"], 1, "cannot read network.onnx: it is no .npz file of numbers"),
        (
            ["network.onnx", "--inputs", "one.npy"],
            1,
            "cannot read one.npy: it is no .npz file, which has an array per input",
        ),
        (["network.onnx", "--inputs", "other.npz"], 1, "unknown input 'x'; inputs: image"),
        (
            ["network.onnx", "--inputs", "a.npz", "--shape", "image=1"],
            2,
            "--shape conflicts with --inputs; give one of them",
        ),
        (["network.onnx", "--port", "COM1"], 2, "--port needs --on board, not --on golden"),
        (
            ["network.onnx", "--precision", "5"],
            1,
            "precision must be one of 2, 4 (whole chunks up to bfp.mantissa), not 5",
        ),
        (["network.onnx", "--precision", "tail=4"], 1, "precision must be for layers: stem, head, not 'tail'"),
        (
            ["network.onnx", "--precision", "head=four"],
            1,
            "precision must be a number of bits such as 4, 4x2 or fp32, or NAME=4, not 'head=four'",
        ),
        (
            ["network.onnx", "--shape", "image=1,3"],
            1,
            "shape of input 'image' must be (batch, 3, height, width), not (1, 3)",
        ),
        (
            ["network.onnx", "--shape", "1,3"],
            1,
            "shape must be the name of an input and its sizes, such as image=1,3,80,80, not '1,3'",
        ),
        (["network.onnx", "--engine", "terms"], 1, None),
        (["network.onnx", "--operands", "packed", "--set", "engine.packed_operands=false"], 1, None),
        (["network.onnx", "-o", "network.onnx"], 1, "cannot write into network.onnx: Not a directory"),
        (["", "--list"], 1, "model must be the name of an ONNX file, not ''"),
    ],
)
def test_illegal_options(lowtide, model, tmp_path, arguments, code, message):
    np.save("one.npy", random(2))
    np.savez("other.npz", x=random(2))
    ended = lowtide("run", *arguments, "--quiet")
    assert (ended.code, ended.err.count("\n")) == (code, 1)
    assert ended.err.startswith("lowtide: ")
    assert message is None or ended.err.removeprefix("lowtide: ").startswith(message)
    assert not (tmp_path / "build").exists()
