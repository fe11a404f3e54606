"""Check of each node against onnxruntime: faults are found."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import load, node, random  # noqa: E402

import lowtide_onnx  # noqa: E402
from lowtide_onnx import convolution, recurrent  # noqa: E402


def test_check_names_the_first_wrong_node(tmp_path, monkeypatch):
    """With windows of another order of elements, the first convolution differs, and not what follows it."""
    nodes = [
        node("Relu", ["x"], ["h"], name="relu"),
        node("Conv", ["h", "w"], ["c"], name="first", pads=[1, 1, 1, 1]),
        node("Conv", ["c", "v"], ["y"], name="second"),
    ]
    stored = {"w": random(4, 3, 3, 3), "v": random(2, 4, 3, 3)}
    network = load(tmp_path, nodes, {"x": [1, 3, 6, 6]}, ["y"], stored)
    checked = network.check()
    assert (checked.layers, checked.nodes) == (2, 1)
    assert 0 < checked.closest < 1
    assert str(checked).startswith("2 layers and 1 node on the host equal onnxruntime's within the bounds;")
    true = convolution.windows

    def wrong(x, *arguments):
        rows, counts = true(x, *arguments)
        return rows[:, :, ::-1].copy(), counts

    monkeypatch.setattr(convolution, "windows", wrong)
    with pytest.raises(lowtide_onnx.NodeDiffers, match=r"^node 'first' \(Conv\): output 'c' at \(\d, \d, \d, \d\) is "):
        network.check()


def test_check_finds_a_small_difference(tmp_path, monkeypatch):
    """A product that lacks its last bits exceeds the bound of the sums."""
    network = load(tmp_path, [node("MatMul", ["x", "w"], ["y"])], {"x": [4, 16]}, ["y"], {"w": random(16, 3)})
    monkeypatch.setattr(
        "lowtide_onnx.check.reference_product",
        lambda a, b: (a.x.astype(np.float16).astype(np.float32) @ b.x).astype(np.float32),
    )
    with pytest.raises(
        lowtide_onnx.NodeDiffers, match=r"node 'MatMul_0' \(MatMul\): output 'y' at .* and the bound is "
    ):
        network.check()


def test_check_finds_wrong_gates(tmp_path, monkeypatch):
    one = node("LSTM", ["x", "w", "r"], ["y"], name="gates", hidden_size=4)
    network = load(tmp_path, [one], {"x": [3, 1, 4]}, ["y"], {"w": random(1, 16, 4), "r": random(1, 16, 4)})
    network.check()
    monkeypatch.setattr(recurrent, "_sigmoid", np.tanh)
    with pytest.raises(lowtide_onnx.NodeDiffers, match=r"^node 'gates' \(LSTM\)"):
        network.check()


def test_check_skips_random_nodes(tmp_path):
    nodes = [
        node("RandomNormalLike", ["x"], ["noise"]),
        node("Add", ["x", "noise"], ["h"]),
        node("MatMul", ["h", "w"], ["y"]),
    ]
    network = load(tmp_path, nodes, {"x": [2, 8]}, ["y"], {"w": random(8, 8)})
    assert network.check().nodes == 2
