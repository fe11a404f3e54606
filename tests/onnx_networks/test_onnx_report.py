"""Report: cost, error and form of each layer."""

import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import load, node, random, two_layers  # noqa: E402

from lowtide.config import Config  # noqa: E402
from lowtide_model import default_bias  # noqa: E402
from lowtide_model.engine.golden_engine import GoldenEngine  # noqa: E402
from lowtide_model.engine.operand import OperandSettings  # noqa: E402
from lowtide_model.engine.panels import multiply  # noqa: E402
from lowtide_model.layer_cost import Layer, Setting, layer_costs  # noqa: E402


def test_report_has_the_costs_of_the_cycle_model(tmp_path):
    network, stored = two_layers(tmp_path)
    x = random(30, 20)
    report = network.report(x, {"*": (4, 2), "head": 2}, operands="packed")
    first, head = report.layers
    assert (first.m, first.k, first.n, first.count, first.macs) == (30, 20, 12, 1, 30 * 20 * 12)
    expected = layer_costs(
        Config(),
        [Layer(name="a", m=30, k=20, n=12), Layer(name="b", m=30, k=12, n=3)],
        [Setting(bits_a=4, bits_b=2, packed=True), Setting(bits_a=2, bits_b=2, packed=True)],
    )
    assert [first.cost, head.cost] == expected
    assert report.total is not None
    assert report.total.cycles == sum(one.cycles for one in expected)
    exact = np.abs(x).astype(np.float64) @ stored["w"]
    noise = exact - _mixed(np.abs(x), stored["w"])
    assert first.sqnr == pytest.approx(10 * np.log10((exact**2).sum() / (noise**2).sum()), abs=1e-3)
    assert first.network_sqnr == pytest.approx(first.sqnr, abs=0.01)
    assert head.network_sqnr < head.sqnr
    np.testing.assert_array_equal(report.predicted["p"], network.predict(x, {"*": (4, 2), "head": 2})["p"])


def _mixed(a, b):
    settings = [OperandSettings(chunks=c, bias=default_bias(x, exponent=3)) for c, x in ((2, a), (1, b))]
    return multiply(GoldenEngine(Config()), a, np.ascontiguousarray(b.T).T, *settings).values


def test_report_as_text_and_json_and_picture(tmp_path):
    network, _ = two_layers(tmp_path)
    x = random(6, 20)
    report = network.report(
        x,
        {"first": "fp32"},
        labels=np.zeros(6),
        metric=lambda outputs, labels: float((outputs["p"].argmax(-1) == labels).mean()),
    )
    text = str(report)
    assert "first  MatMul     6 × 20 × 12  on the host" in text
    assert "head   Gemm       6 × 12 × 3" in text
    assert "Metric: " in text
    data = json.loads(report.json())
    assert data["layers"][0]["bits"] == "fp32"
    assert data["layers"][0]["cost"] is None
    assert data["layers"][1]["cost"]["cycles"] == data["total"]["cycles"] > 0
    assert data["macs"] == 6 * (20 * 12 + 12 * 3)
    assert set(data["scores"]) == {"fp32", "engine"}
    report.plot(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    report.save(tmp_path / "outputs.npz")
    with np.load(tmp_path / "outputs.npz") as saved:
        np.testing.assert_array_equal(saved["r"], report.predicted["r"])


def test_report_of_a_recurrent_layer_has_a_row_per_product(tmp_path):
    one = node("LSTM", ["x", "w", "r"], ["y"], name="lstm", hidden_size=4)
    network = load(tmp_path, [one], {"x": [5, 2, 3]}, ["y"], {"w": random(1, 16, 3), "r": random(1, 16, 4)})
    rows = [(one.label, one.m, one.k, one.n, one.count) for one in network.report().layers]
    assert rows == [("lstm (inputs)", 10, 3, 16, 1), ("lstm (hidden)", 2, 4, 16, 5)]


def test_report_without_layers(tmp_path):
    network = load(tmp_path, [node("Relu", ["x"], ["y"])], {"x": [2]}, ["y"])
    report = network.report()
    assert (report.layers, report.total) == ((), None)
    assert "Output y: SQNR exact dB" in str(report)
