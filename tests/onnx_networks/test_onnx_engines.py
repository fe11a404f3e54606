"""One network on all engines: equal bits."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import load, node, random

from fixtures.devices import SMALL_DEVICE
from fixtures.engines import SMALL_ENGINE, SUM_ENGINE


def small_network(folder, config):
    """A convolution, a depthwise convolution, a product of activations and a linear layer, with long and short K."""
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "d"], ["c"], group=3, strides=[2, 2]),
        node("Reshape", ["c", "shape"], ["rows"]),
        node("Transpose", ["rows"], ["columns"], perm=[0, 2, 1]),
        node("MatMul", ["rows", "columns"], ["scores"]),
        node("Reshape", ["scores", "flat"], ["f"]),
        node("Gemm", ["f", "v", "bias"], ["y"], alpha=0.5),
    ]
    stored = {
        "w": random(3, 2, 3, 3),
        "d": random(3, 1, 2, 2),
        "v": random(9, 4),
        "bias": random(4),
        "shape": np.array([1, 3, -1], np.int64),
        "flat": np.array([1, 9], np.int64),
    }
    return load(folder, nodes, {"x": [1, 2, 6, 5]}, ["y", "scores"], stored, engine=config)


def assert_equal_bits(network, engine, **more):
    x = random(1, 2, 6, 5)
    expected = network.predict(x, **more)
    found = network.predict(x, on=engine, **more)
    for name in expected:
        np.testing.assert_array_equal(found[name].view(np.uint32), expected[name].view(np.uint32))
    assert np.isfinite(expected["y"]).all()


@pytest.mark.parametrize("rounding", ["nearest", "truncate", "stochastic"])
def test_simulated_engine(tmp_path, engine, rounding):
    network = small_network(tmp_path, SMALL_ENGINE)
    assert_equal_bits(network, engine, precision={"Conv_0": (2, 3), "*": 4}, rounding=rounding)


def test_simulated_engine_with_sums(tmp_path, sum_engine):
    assert_equal_bits(small_network(tmp_path, SUM_ENGINE), sum_engine, precision=4)


def test_verilator_by_its_name(tmp_path, monkeypatch, built_engine, libraries):
    monkeypatch.setattr("lowtide_onnx.engines.COMPILED", libraries)
    assert_equal_bits(small_network(tmp_path, SMALL_ENGINE), "verilator")


def test_device(tmp_path, device):
    assert_equal_bits(small_network(tmp_path, SMALL_DEVICE), device)
    report = small_network(tmp_path, SMALL_DEVICE).report(random(1, 2, 6, 5), on=device)
    assert report.total is not None
    assert report.total.cycles > 0
