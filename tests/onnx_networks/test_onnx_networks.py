"""Networks of several nodes: order, values between engine and host, and progress."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import CONFIGS, load, node, random, two_layers  # noqa: E402
from onnx_reference import Products  # noqa: E402

from lowtide.config import Config  # noqa: E402


def test_a_network_has_the_engine_s_products_and_onnxruntime_s_other_nodes(tmp_path):
    network, stored = two_layers(tmp_path)
    x = random(4, 20)
    products = Products(Config(), 2)
    r = np.maximum(products.multiply(np.abs(x)[None], stored["w"][None])[0] + stored["b"], 0)
    y = Products(Config(), 4).multiply(r[None], stored["v"][None])[0]
    found = network.predict({"x": x}, {"*": 2, "head": 4})
    np.testing.assert_array_equal(found["r"], r)
    powers = np.exp(y - y.max(-1, keepdims=True))
    np.testing.assert_allclose(found["p"], powers / powers.sum(-1, keepdims=True), rtol=1e-5)


def test_branches_that_join_run_in_an_order_of_their_inputs(tmp_path):
    """The second branch has a product fewer, a stored tensor is an output, and an input is passed through."""
    nodes = [
        node("MatMul", ["x", "w"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("MatMul", ["b", "w"], ["c"]),
        node("Neg", ["x"], ["d"]),
        node("MatMul", ["d", "w"], ["e"]),
        node("Concat", ["c", "e", "d", "w"], ["y"], axis=0),
        node("Identity", ["x"], ["same"]),
    ]
    network = load(tmp_path, nodes, {"x": [2, 8]}, ["y", "same", "w"], {"w": random(8, 8)})
    x, w = random(2, 8, seed=3), random(8, 8)
    products = Products(Config())

    def product(a):
        return products.multiply(a[None], w[None])[0]

    found = network.predict(x)
    np.testing.assert_array_equal(found["y"], np.concatenate([product(np.maximum(product(x), 0)), product(-x), -x, w]))
    np.testing.assert_array_equal(found["same"], x)
    np.testing.assert_array_equal(found["w"], w)
    assert network.check(x).layers == 3


def test_weights_that_the_host_computes(tmp_path):
    """Weights are transposed and scaled by nodes; a product of two constants stays on the host."""
    nodes = [
        node("Constant", [], ["scale"], value=onnx.numpy_helper.from_array(np.float32(0.5))),
        node("Constant", [], ["bias"], value_floats=[1.0, 2.0, 3.0]),
        node("Transpose", ["w"], ["t"]),
        node("MatMul", ["w", "t"], ["ww"], name="constant"),
        node("Mul", ["ww", "scale"], ["half"]),
        node("MatMul", ["x", "half"], ["h"], name="layer"),
        node("Add", ["h", "bias"], ["y"]),
    ]
    network = load(tmp_path, nodes, {"x": [2, 3]}, ["y"], {"w": random(3, 5)})
    assert network.layers == ["layer"]
    x, w = random(2, 3), random(3, 5)
    expected = Products(Config()).multiply(x[None], (w @ w.T * np.float32(0.5))[None])[0]
    np.testing.assert_allclose(network.predict(x)["y"], expected + np.array([1, 2, 3], np.float32), rtol=1e-6)
    network.check(x)


def test_a_layer_on_the_host_has_its_numbers(tmp_path):
    network, stored = two_layers(tmp_path)
    x = random(4, 20)
    h = np.abs(x) @ stored["w"]
    np.testing.assert_allclose(
        network.predict(x, {"first": "fp32"})["r"], np.maximum(h + stored["b"], 0), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("config", CONFIGS)
def test_a_sequence_passes_between_parts(tmp_path, config):
    nodes = [
        node("SplitToSequence", ["x"], ["parts"], axis=0),
        node("MatMul", ["x", "w"], ["h"]),
        node("SequenceInsert", ["parts", "h"], ["more"]),
        node("ConcatFromSequence", ["more"], ["y"], axis=0),
    ]
    network = load(tmp_path, nodes, {"x": [2, 8]}, ["y"], {"w": random(8, 8)}, engine=CONFIGS[config])
    assert network.predict(random(2, 8))["y"].shape == (4, 8)
    network.check()


def test_progress_counts_layers(tmp_path):
    network, _ = two_layers(tmp_path)
    seen = []
    network.predict(random(2, 20), progress=lambda *now: seen.append(now))
    assert seen == [(1, 2, "first"), (2, 2, "head")]
