"""Placement: which nodes run on the engine, which on the host, and which are refused."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper  # noqa: E402
from onnx_models import load, node, random, two_layers  # noqa: E402
from onnx_reference import Products  # noqa: E402

import lowtide_onnx  # noqa: E402
from lowtide.config import Config  # noqa: E402

FLOAT = TensorProto.FLOAT


def test_places_are_known_before_anything_runs(tmp_path):
    network, _ = two_layers(tmp_path)
    assert [one.where for one in network.nodes] == ["host", "engine", "host", "host", "engine", "host"]
    assert (network.layers, network.refused) == (["first", "head"], [])
    text = str(network)
    assert "first   MatMul     engine  ? × 20 × 12" in text
    assert "head    Gemm       engine  ? × 12 × 3" in text
    assert "1 node  Softmax    host" in text
    assert network.to_json()["nodes"][1] == {
        "name": "first",
        "operation": "MatMul",
        "where": "engine",
        "m_k_n": (None, 20, 12),
    }
    assert repr(network).endswith("network.onnx', 2 layers, 0 refused nodes)")


def test_names_of_nodes_are_unique(tmp_path):
    nodes = [
        node("MatMul", ["x", "w"], ["a"]),
        node("MatMul", ["a", "w"], ["b"], name="MatMul_0"),
        node("MatMul", ["b", "w"], ["y"]),
    ]
    network = load(tmp_path, nodes, {"x": [2, 8]}, ["y"], {"w": random(8, 8)})
    assert network.layers == ["MatMul_0", "MatMul_0#2", "MatMul_2"]


def conditional(inner, name="branch"):
    """A node whose branches have a node each, which reads a tensor of the outer graph."""
    branches = [
        helper.make_graph([one], f"{name}{n}", [], [helper.make_tensor_value_info("out", FLOAT, ["n", 8])])
        for n, one in enumerate((inner, node("Neg", ["h"], ["out"])))
    ]
    return node("If", ["condition"], ["y"], name=name, then_branch=branches[0], else_branch=branches[1])


def test_control_flow_without_products_runs_on_the_host(tmp_path):
    nodes = [node("MatMul", ["x", "w"], ["h"]), conditional(node("Relu", ["h"], ["out"]))]
    kinds = {"condition": TensorProto.BOOL}
    network = load(tmp_path, nodes, {"x": [2, 8], "condition": []}, ["y"], {"w": random(8, 8)}, kinds)
    product = Products(Config()).multiply(random(2, 8)[None], random(8, 8)[None])[0]
    for condition, expected in ((True, np.maximum(product, 0)), (False, -product)):
        inputs = {"x": random(2, 8), "condition": np.array(condition)}
        np.testing.assert_array_equal(network.predict(inputs)["y"], expected)
        network.check(inputs)


REFUSED = {
    "products inside": (
        [node("Relu", ["x"], ["h"]), conditional(node("MatMul", ["h", "w"], ["out"]))],
        "it has products inside: MatMul",
    ),
    "transposed convolution": (
        [node("ConvTranspose", ["x4", "w4"], ["y"], name="branch")],
        "no engine computes ConvTranspose",
    ),
    "einsum": ([node("Einsum", ["x", "w"], ["y"], name="branch", equation="ij,jk")], "no engine computes Einsum"),
    "integers": (
        [
            node("Cast", ["x"], ["i"], to=TensorProto.INT8),
            node("Cast", ["w"], ["j"], to=TensorProto.INT8),
            node("MatMulInteger", ["i", "j"], ["k"], name="branch"),
            node("Cast", ["k"], ["y"], to=FLOAT),
        ],
        "no engine computes MatMulInteger",
    ),
    "float16": (
        [
            node("Cast", ["x"], ["i"], to=TensorProto.FLOAT16),
            node("Cast", ["w"], ["j"], to=TensorProto.FLOAT16),
            node("MatMul", ["i", "j"], ["k"], name="branch"),
            node("Cast", ["k"], ["y"], to=FLOAT),
        ],
        "tensor 'i' must be of float32, not float16",
    ),
    "volumes": (
        [node("Conv", ["x5", "w5"], ["y"], name="branch")],
        "a convolution must have 1 or 2 dimensions, not 3",
    ),
    "peepholes": (
        [node("LSTM", ["t", "wl", "rl", "", "", "", "", "p"], ["y"], name="branch", hidden_size=2)],
        "peepholes, input 7, are not supported",
    ),
    "lengths": (
        [node("LSTM", ["t", "wl", "rl", "", "lengths"], ["y"], name="branch", hidden_size=2)],
        "sequences of different lengths, input 4, are not supported",
    ),
    "activations": (
        [node("LSTM", ["t", "wl", "rl"], ["y"], name="branch", hidden_size=2, activations=["Relu", "Tanh", "Tanh"])],
        "activations must be Sigmoid, Tanh, Tanh, not Relu, Tanh, Tanh",
    ),
    "clip": (
        [node("LSTM", ["t", "wl", "rl"], ["y"], name="branch", hidden_size=2, clip=3.0)],
        "clip must be 0, not 3",
    ),
}
SHAPES = {"x": [2, 8], "x4": [1, 2, 4, 4], "x5": [1, 2, 4, 4, 4], "t": [3, 1, 4], "condition": []}
WEIGHTS = {
    "w": random(8, 8),
    "w4": random(2, 2, 2, 2),
    "w5": random(2, 2, 2, 2, 2),
    "wl": random(1, 8, 4),
    "rl": random(1, 8, 2),
    "p": random(1, 6),
    "lengths": np.array([2], np.int32),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_node_needs_the_host(tmp_path, kind):
    nodes, reason = REFUSED[kind]
    read = {name for one in nodes for name in one.input} | {"w"}
    inputs = {name: SHAPES[name] for name in SHAPES if name in read}
    stored = {name: WEIGHTS[name] for name in WEIGHTS if name in read}
    network = load(tmp_path, nodes, inputs, ["y"], stored, {"condition": TensorProto.BOOL})
    assert network.refused == ["branch"]
    assert reason in str(network)
    values = network.random_inputs()
    with pytest.raises(lowtide_onnx.RefusedNode) as refused:
        network.predict(values)
    assert str(refused.value) == (
        f"node 'branch' ({nodes[-1 if nodes[-1].name else -2].op_type}): {reason}; leave the node to the host by the"
        " precision branch=fp32"
    )
    assert network.predict(values, {"branch": "fp32"})["y"].size
    network.check(values)
