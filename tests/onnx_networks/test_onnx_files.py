"""Forms of ONNX files: functions, external tensors, and stored defaults of inputs."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import helper  # noqa: E402
from onnx_models import graph_of, node, random, save  # noqa: E402
from onnx_reference import Products  # noqa: E402

import lowtide_onnx  # noqa: E402
from lowtide.config import Config  # noqa: E402


def test_local_functions_are_inlined(tmp_path):
    """A product in a function of the model is a layer."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    inner = helper.make_function(
        "local",
        "Project",
        ["a", "b"],
        ["c"],
        [node("MatMul", ["a", "b"], ["m"]), node("Relu", ["m"], ["c"])],
        opsets[:1],
    )
    graph = graph_of([node("Project", ["x", "w"], ["y"], domain="local")], {"x": [2, 8]}, ["y"], {"w": random(8, 8)})
    network = lowtide_onnx.load_onnx(save(tmp_path, graph, opset_imports=opsets, functions=[inner]))
    assert [one.operation for one in network.nodes] == ["MatMul", "Relu"]
    expected = np.maximum(Products(Config()).multiply(random(2, 8)[None], random(8, 8)[None])[0], 0)
    np.testing.assert_array_equal(network.predict(random(2, 8))["y"], expected)


def test_tensors_in_an_external_file(tmp_path):
    graph = graph_of([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 64]}, ["y"], {"w": random(64, 64)})
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "large.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert lowtide_onnx.load_onnx(tmp_path / "large.onnx").check().layers == 1


def test_inputs_with_stored_defaults_are_no_inputs(tmp_path):
    """Before version 4 of the format, each stored tensor is an input, too."""
    graph = graph_of([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 8], "w": [8, 8]}, ["y"], {"w": random(8, 8)})
    file = tmp_path / "old.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=3), file)
    network = lowtide_onnx.load_onnx(file)
    assert [port.name for port in network.inputs] == ["x"]
    network.check(random(2, 8))
