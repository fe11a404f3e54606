"""Networks with weights that are tuned for few bits."""

import json
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import CONFIGS, graph_of, load, node, random, save

from lowtide.config import Config
from lowtide.errors import LowtideError
from lowtide_onnx import InputError, ModelError, NonFinite, load_onnx
from lowtide_onnx.least_squares import Fit

NODES = [
    node("Conv", ["image", "w", "c"], ["h"], name="stem", pads=[1, 1, 1, 1], strides=[2, 1]),
    node("Relu", ["h"], ["r"]),
    node("Conv", ["r", "d"], ["g"], name="depthwise", group=6),
    node("Conv", ["g", "t", "e"], ["k"], name="groups", group=2),
    node("GlobalAveragePool", ["k"], ["p"]),
    node("Flatten", ["p"], ["f"]),
    node("Gemm", ["f", "u", "b"], ["s"], name="gemm", transB=1),
    node("Gemm", ["s", "v", "a"], ["q"], name="scaled", alpha=0.5),
    node("MatMul", ["q", "m"], ["y"], name="matmul"),
]
STORED = {
    "w": random(6, 3, 3, 3),
    "c": random(6),
    "d": random(6, 1, 2, 2),
    "t": random(8, 3, 1, 1),
    "e": random(8),
    "u": random(10, 8),
    "b": random(1, 10),
    "v": random(10, 7),
    "a": random(7),
    "m": random(7, 4),
}


def network_of(folder, engine: Config | str = "default"):
    """Every kind of layer whose weights are tuned."""
    return load(folder, NODES, {"image": ["batch", 3, "height", "width"]}, ["y"], STORED, engine=engine)


def images(samples, seed=2):
    return np.random.default_rng(seed).random((samples, 3, 6, 7), np.float32)


def noise(network, x, bits, output="y"):
    exact = network.predict(x, "fp32")[output].astype(np.float64)
    return np.square(network.predict(x, bits)[output] - exact).sum() / np.square(exact).sum()


@pytest.mark.parametrize("engine", CONFIGS)
@pytest.mark.parametrize("bits", [(4, 2), (2, 4)])
def test_the_engine_represents_the_tuned_weights_exactly(tmp_path, engine, bits):
    network = network_of(tmp_path, CONFIGS[engine])
    assert network.tunable == network.layers == ["stem", "depthwise", "groups", "gemm", "scaled", "matmul"]
    tuned = network.tuned(images(20), bits)
    x = images(3, seed=9)
    # More bits for the weights change nothing, and the original network is as before.
    np.testing.assert_array_equal(tuned.predict(x, bits)["y"], tuned.predict(x, (bits[0], 4))["y"])
    assert noise(network_of(tmp_path, CONFIGS[engine]), x, bits) == noise(network, x, bits)
    assert noise(network, x, bits) > 0


@pytest.mark.parametrize("bits", [(4, 2), (4, 4), {"*": (4, 2), "stem": 4, "matmul": "fp32"}])
def test_tuned_weights_have_less_noise_on_other_samples(tmp_path, bits):
    network = network_of(tmp_path)
    tuned, x = network.tuned(images(64), bits), images(64, seed=3)
    exact = network.predict(x, "fp32")["y"]
    errors = [np.square(one.predict(x, bits)["y"] - exact).sum() for one in (network, tuned)]
    assert errors[1] < 0.5 * errors[0]


def test_a_saved_network_has_equal_bits(tmp_path):
    network = network_of(tmp_path)
    tuned = network.tuned(images(20), 2, batch=6)
    tuned.save(tmp_path / "tuned.onnx")
    again = load_onnx(tmp_path / "tuned.onnx")
    assert again.layers == network.layers
    x = images(5, seed=4)
    np.testing.assert_array_equal(again.predict(x, 2)["y"], tuned.predict(x, 2)["y"])
    assert not np.array_equal(again.predict(x, 2)["y"], network.predict(x, 2)["y"])
    # Another form of a legal model: nodes of constants are stored tensors.
    assert str(again.check(x)).startswith("6 layers")
    with pytest.raises(ModelError, match=r"cannot write .*none"):
        tuned.save(tmp_path / "none" / "tuned.onnx")


def test_layers_are_tuned_by_the_rows_that_the_layers_before_them_compute(tmp_path):
    """The definition, by the outputs of networks that end after each layer."""
    nodes = [node("MatMul", ["x", "u"], ["h"], name="first"), node("Gemm", ["h", "v", "b"], ["y"], name="second")]
    stored = {"u": random(12, 20), "v": random(20, 5), "b": random(5)}
    network = load(tmp_path, nodes, {"x": ["batch", 12]}, ["h", "y"], stored)
    x, bits = random(50, 12, seed=7), {"first": (4, 2), "second": (2, 4)}
    tuned = network.tuned(x, bits)
    outputs = tuned.predict(x, bits)
    fit = Fit(with_bias=True)
    from lowtide_model import quantize

    rows = quantize(outputs["h"], mantissa=2).to_float().astype(np.float32)
    fit.add(rows[np.newaxis], (x @ stored["u"] @ stored["v"])[np.newaxis])
    weights = fit.weights(stored["v"][np.newaxis].astype(np.float64), network.config.bfp, 4)
    bias = (stored["b"] + fit.bias(weights)[0]).astype(np.float32)
    np.testing.assert_allclose(outputs["y"], rows @ weights[0] + bias, rtol=1e-5, atol=1e-4)
    # The bias makes the means equal.
    np.testing.assert_allclose(outputs["y"].mean(0), (x @ stored["u"] @ stored["v"] + stored["b"]).mean(0), atol=1e-3)


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_few_samples_are_legal(tmp_path, samples):
    network, x = network_of(tmp_path), images(8, seed=5)
    tuned = network.tuned(images(samples), 4, batch=1)
    exact = network.predict(x, "fp32")["y"]
    errors = [np.square(one.predict(x, 4)["y"] - exact).sum() for one in (network, tuned)]
    assert errors[1] < 4 * errors[0]


def test_other_weights_stay(tmp_path):
    nodes = [
        node("MatMul", ["x", "u"], ["h"], name="twice"),
        node("MatMul", ["h", "u"], ["i"], name="again"),
        node("MatMul", ["u", "i"], ["j"], name="left"),
        node("MatMul", ["j", "stack"], ["k"], name="matrices"),
        node("MatMul", ["k", "k"], ["l"], name="activations"),
        node("LSTM", ["l", "w", "r"], ["o"], name="lstm", hidden_size=3),
        node("MatMul", ["o", "v"], ["y"], name="host"),
    ]
    stored = {"u": random(6, 6), "stack": random(2, 6, 6), "w": random(1, 12, 6), "r": random(1, 12, 3)}
    stored["v"] = random(3, 2)
    network = load(tmp_path, nodes, {"x": [6, 6]}, ["y"], stored)
    assert network.tunable == ["host"]
    x = random(6, 6, seed=3)
    bits = {"*": 2, "host": "fp32"}
    tuned = network.tuned(x, bits)
    np.testing.assert_array_equal(tuned.predict(x, bits)["y"], network.predict(x, bits)["y"])
    np.testing.assert_array_equal(tuned.predict(x, "fp32")["y"], network.predict(x, "fp32")["y"])


def test_wrong_inputs(tmp_path):
    network, x = network_of(tmp_path), images(4)
    batches: tuple[Any, ...] = (0, -1, 1.5, "2")
    for batch in batches:
        with pytest.raises(ValueError, match=r"batch must be from 1 to"):
            network.tuned(x, batch=batch)
    for samples in (x[:0], np.float32(1)):
        with pytest.raises(InputError, match="all inputs must have the same number of samples, at least one"):
            network.tuned(samples, batch=2)
    with pytest.raises(InputError, match="input 'image' must have the shape"):
        network.tuned(x[0], batch=2)
    spoiled = x.copy()
    spoiled[1, 0, 0, 0] = np.nan
    with pytest.raises(NonFinite, match=r"input 'image' must have no NaN, and has one at \(1, 0, 0, 0\)"):
        network.tuned(spoiled)
    with pytest.raises(NonFinite, match=r"layer 'stem': tensor 'image' must be finite, not inf"):
        network.tuned(np.full_like(x, np.inf))
    with pytest.raises(LowtideError, match="precision must be one of 2, 4"):
        network.tuned(x, 3)
    assert network.tuned(x[:0]).predict(x, 4)["y"].shape == (4, 4)  # nothing to tune by


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A model and samples in the current folder."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path, graph_of(NODES, {"image": ["batch", 3, "height", "width"]}, ["y"], STORED))
    np.savez("samples.npz", image=images(30))
    return tmp_path


def test_the_command(lowtide, files):
    ended = lowtide("tune", "network.onnx", "--inputs", "samples.npz", "--precision", "4x2", "--batch", "8")
    assert ended.code == 0, ended.err
    rows = [line.split() for line in ended.out.splitlines()]
    before, after = (float(one) for one in next(row[1:] for row in rows if row[:1] == ["y"]))
    assert after > before + 3
    assert rows[-3:-1] == [["Tuned", "layers:", "6", "of", "6"], ["build/tuned/network.onnx"]]
    assert ended.err.splitlines()[5:] == [
        "Layers: 6 of 6, matmul",
        *(f"Errors: {n} of 4" for n in range(1, 5)),
    ]
    network, tuned = load_onnx("network.onnx"), load_onnx("build/tuned/network.onnx")
    runs = [images(30)[start : start + 8] for start in range(0, 30, 8)]
    exact, *found = (
        np.concatenate([one.predict(run, bits)["y"] for run in runs])
        for one, bits in ((network, "fp32"), (network, (4, 2)), (tuned, (4, 2)))
    )
    ratios = [np.square(exact).sum() / np.square(exact - one).sum() for one in found]
    assert [before, after] == [round(10 * np.log10(ratio), 1) for ratio in ratios]
    tuned = load_onnx("build/tuned/network.onnx")
    expected = load_onnx("network.onnx").tuned(images(30), (4, 2), batch=8)
    np.testing.assert_array_equal(tuned.predict(images(3), 4)["y"], expected.predict(images(3), 4)["y"])
    asked = ("network.onnx", "--inputs", "samples.npz", "--precision", "4x2", "--precision", "gemm=fp32")
    result = json.loads(lowtide("tune", *asked, "--json").out)
    assert result["model"] == "build/tuned/network.onnx"
    assert result["sqnr_db"]["y"]["after"] > result["sqnr_db"]["y"]["before"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("network.onnx",), "Missing option '--inputs'"),
        (("none.onnx", "--inputs", "samples.npz"), "cannot read none.onnx: no such file"),
        (("network.onnx", "--inputs", "none.npz"), "cannot read none.npz: No such file"),
        (("network.onnx", "--inputs", "network.onnx"), "network.onnx: it is no .npz file"),
        (("network.onnx", "--inputs", "samples.npz", "--batch", "0"), "batch must be from 1 to"),
        (("network.onnx", "--inputs", "samples.npz", "-o", "."), "output must be a folder without the model itself"),
        (("network.onnx", "--inputs", "samples.npz", "--precision", "5"), "precision must be one of 2, 4"),
        (("network.onnx", "--inputs", "samples.npz", "--precision", "x=4"), "precision must be for layers: stem"),
        (("network.onnx", "--inputs", "samples.npz", "--engine", "terms"), "array.element"),
    ],
)
def test_wrong_arguments(lowtide, files, arguments, message):
    ended = lowtide("tune", *arguments)
    assert ended.code in (1, 2)
    assert re.search(message, ended.err), ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (files / "build").exists()
