"""A layer of an ONNX file has the bits of the layer of PyTorch on the engine, stochastic rounding included."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")
from onnx_models import CONFIGS, load, node, random  # noqa: E402

import lowtide_torch as lt  # noqa: E402

ROUNDINGS = {"nearest": lt.Nearest(4), "truncate": lt.Truncate(4), "stochastic": lt.Stochastic(4)}


def bits_of_torch(modules, config, rounding, *inputs):
    """Outputs of a network of PyTorch in its first evaluation."""
    torch.set_num_threads(1)
    settings = lt.BFP(weights=ROUNDINGS[rounding], activations=ROUNDINGS[rounding], seed=3)
    lt.quantize_(modules, settings, engine=lt.Engine(config))
    modules.eval()
    with torch.no_grad():
        return modules(*map(torch.from_numpy, inputs))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", CONFIGS)
def test_convolutions_and_linear_layers(tmp_path, name, rounding):
    torch.manual_seed(1)
    modules = torch.nn.Sequential(
        torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), torch.nn.Flatten(), torch.nn.Linear(54, 5)
    )
    stored = {key: value.detach().numpy().copy() for key, value in modules.named_parameters()}
    nodes = [
        node("Conv", ["x", "0.weight", "0.bias"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1], group=2),
        node("Flatten", ["a"], ["f"]),
        node("Gemm", ["f", "2.weight", "2.bias"], ["y"], transB=1),
    ]
    network = load(tmp_path, nodes, {"x": [2, 4, 6, 6]}, ["y"], stored, engine=CONFIGS[name])
    x = random(2, 4, 6, 6)
    expected = bits_of_torch(modules, CONFIGS[name], rounding, x).numpy()
    found = network.predict(x, rounding=rounding, seed=3)["y"]
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("rounding", ["nearest", "truncate"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_products_of_recurrent_layers(tmp_path, kind, rounding):
    """A first step has equal products. The gates are in another order, and so would be the random words."""
    torch.manual_seed(1)
    module, size, gates = getattr(torch.nn, kind)(5, 8, bidirectional=True), 8, {"LSTM": 4, "GRU": 3}[kind]
    order = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}[kind]
    parts = {key: value.detach().numpy().copy() for key, value in module.named_parameters()}

    def stacked(key):
        found = [parts[f"{key}_l0{suffix}"] for suffix in ("", "_reverse")]
        return np.stack([np.concatenate([x[gate * size : (gate + 1) * size] for gate in order]) for x in found])

    stored = {
        "w": stacked("weight_ih"),
        "r": stacked("weight_hh"),
        "b": np.concatenate([stacked("bias_ih"), stacked("bias_hh")], 1),
    }
    assert stored["w"].shape == (2, gates * size, 5)
    more: dict[str, Any] = {"linear_before_reset": 1} if kind == "GRU" else {}
    one = node(kind, ["x", "w", "r", "b"], ["y"], hidden_size=size, direction="bidirectional", **more)
    network = load(tmp_path, [one], {"x": [1, 3, 5]}, ["y"], stored)
    x = random(1, 3, 5)
    found = network.predict(x, rounding=rounding, seed=3)["y"].transpose(0, 2, 1, 3).reshape(1, 3, 16)
    expected, _ = bits_of_torch(torch.nn.Sequential(module), CONFIGS["default"], rounding, x)
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-6)
