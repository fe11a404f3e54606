"""Each operation on an engine: bits of a slow reference, and onnxruntime's numbers within the bound of the sums."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import CONFIGS, load, node, random
from onnx_reference import Products

import lowtide_onnx


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


def equal(found, expected):
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), np.ascontiguousarray(expected, np.float32).view(np.uint32))


def convolution(folder, config, x, weights, bias=None, **attributes):
    """A network of one Conv node."""
    names = ["x", "w"] + ["b"] * (bias is not None)
    stored = {"w": weights} | ({} if bias is None else {"b": bias})
    return load(folder, [node("Conv", names, ["y"], **attributes)], {"x": None}, ["y"], stored, engine=config)


GEOMETRIES = {
    "plain": {},
    "points": {"kernel": (1, 1)},
    "strides": {"strides": (2, 3)},
    "pads": {"pads": ((1, 2), (0, 3))},
    "dilations": {"dilations": (2, 1), "pads": ((1, 1), (1, 1))},
    "groups": {"groups": 2},
    "depthwise": {"groups": 4, "strides": (1, 2), "pads": ((1, 1), (1, 1))},
    "one output per group of one channel": {"groups": 4, "outputs": 8},
}


@pytest.mark.parametrize("rounding", ["nearest", "truncate", "stochastic"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_convolution_of_images(tmp_path, config, geometry, rounding):
    of = {"kernel": (3, 2), "strides": (1, 1), "dilations": (1, 1), "pads": ((0, 0), (0, 0)), "groups": 1, "outputs": 4}
    of |= GEOMETRIES[geometry]
    x = random(2, 4, 6, 7)
    weights, bias = random(of["outputs"], 4 // of["groups"], *of["kernel"]), random(of["outputs"])
    pads = [pad[0] for pad in of["pads"]] + [pad[1] for pad in of["pads"]]
    network = convolution(
        tmp_path,
        config,
        x,
        weights,
        bias,
        strides=of["strides"],
        dilations=of["dilations"],
        pads=pads,
        group=of["groups"],
    )
    expected = Products(config, 2, rounding, seed=7).convolution(
        x, weights, bias, strides=of["strides"], dilations=of["dilations"], pads=of["pads"], groups=of["groups"]
    )
    equal(network.predict(x, 2, rounding=rounding, seed=7)["y"], expected)
    network.check(x)


def test_convolution_of_rows(tmp_path, config):
    x, weights = random(3, 2, 11), random(4, 2, 3)
    network = convolution(tmp_path, config, x, weights, strides=(2,), dilations=(2,), pads=(3, 1))
    expected = Products(config).convolution(x, weights, strides=(2,), dilations=(2,), pads=((3, 1),))
    equal(network.predict(x)["y"], expected)
    network.check(x)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_automatic_padding(tmp_path, padding, stride, size):
    """The numbers are onnxruntime's, whose padding `check` compares."""
    x = random(1, 2, size, size + 1)
    network = convolution(tmp_path, "default", x, random(3, 2, 2, 3), auto_pad=padding, strides=(stride, 1))
    assert network.check(x).layers == 1


@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (-0.3, 0.7), (2.0, 0.0)])
def test_gemm(tmp_path, config, transposed, alpha, beta):
    a, b, c = random(5, 40), random(40, 6), random(6)
    x, weights = (m.T.copy() if t else m for m, t in zip((a, b), transposed, strict=True))
    gemm = node("Gemm", ["x", "w", "c"], ["y"], alpha=alpha, beta=beta, transA=transposed[0], transB=transposed[1])
    network = load(tmp_path, [gemm], {"x": [None, None]}, ["y"], {"w": weights, "c": c}, engine=config)
    product = Products(config).multiply(a[None], b[None])[0]
    equal(network.predict(x)["y"], np.float32(alpha) * product + (np.float32(beta) * c if beta else np.float32(0)))
    network.check(x)


@pytest.mark.parametrize("shape", [(40,), (3, 40), (2, 3, 40), (2, 1, 3, 40)])
def test_matmul_with_a_matrix_of_weights(tmp_path, config, shape):
    """The rows of all matrices are the rows of one product."""
    x, weights = random(*shape), random(40, 5)
    network = load(tmp_path, [node("MatMul", ["x", "w"], ["y"])], {"x": None}, ["y"], {"w": weights}, engine=config)
    product = Products(config).multiply(x.reshape(1, -1, 40), weights[None])[0]
    equal(network.predict(x)["y"], product.reshape(*shape[:-1], 5))
    network.check(x)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3, 4, 20), (2, 3, 20, 5)), ((4, 20), (3, 20, 5)), ((2, 1, 4, 20), (3, 20, 1)), ((20,), (3, 20, 5))],
)
def test_matmul_of_two_activations(tmp_path, config, left, right, rounding):
    """Matrices of a batch share the bias of their tensor, and each has its seeds."""
    a, b = random(*left), random(*right, seed=2)
    network = load(tmp_path, [node("MatMul", ["a", "b"], ["y"])], {"a": None, "b": None}, ["y"], engine=config)
    rows = a[None] if a.ndim == 1 else a
    batch = np.broadcast_shapes(rows.shape[:-2], b.shape[:-2])
    lefts, rights = (np.broadcast_to(m, (*batch, *m.shape[-2:])).reshape(-1, *m.shape[-2:]) for m in (rows, b))
    product = Products(config, 4, rounding, seed=3).multiply(lefts, rights).reshape(*batch, rows.shape[-2], b.shape[-1])
    inputs = {"a": a, "b": b}
    equal(network.predict(inputs, rounding=rounding, seed=3)["y"], product[..., 0, :] if a.ndim == 1 else product)
    network.check(inputs)


def test_matmul_of_a_vector_on_the_right(tmp_path, config):
    x, v = random(2, 3, 20), random(20)
    network = load(tmp_path, [node("MatMul", ["x", "v"], ["y"])], {"x": None}, ["y"], {"v": v}, engine=config)
    equal(network.predict(x)["y"], Products(config).multiply(x.reshape(1, 6, 20), v[None, :, None]).reshape(2, 3))
    network.check(x)


DIRECTIONS = ("forward", "reverse", "bidirectional")


def recurrent(folder, config, kind, direction, *, states=True, bias=True, **attributes):
    """A network of one LSTM or GRU, and its inputs."""
    gates, directions, hidden, length = {"LSTM": 4, "GRU": 3}[kind], 1 + (direction == "bidirectional"), 6, 5
    stored = {
        "w": random(directions, gates * hidden, length) / 4,
        "r": random(directions, gates * hidden, hidden) / 4,
    }
    inputs = {"x": random(7, 2, length)}
    names = ["x", "w", "r", "b" if bias else "", ""]
    if bias:
        stored["b"] = random(directions, 2 * gates * hidden) / 4
    for state in ["h", "c"][: 1 + (kind == "LSTM")] if states else []:
        names.append(state)
        inputs[state] = random(directions, 2, hidden)
    outputs = ["y", "yh", "yc"][: 2 + (kind == "LSTM")]
    one = node(kind, names, outputs, hidden_size=hidden, direction=direction, **attributes)
    return load(folder, [one], dict.fromkeys(inputs), outputs, stored, engine=config), inputs, stored


@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("kind", "attributes"), [("LSTM", {}), ("GRU", {"linear_before_reset": 1}), ("GRU", {"linear_before_reset": 0})]
)
def test_recurrent_layers_equal_onnxruntime(tmp_path, kind, attributes, direction, states):
    network, inputs, _ = recurrent(tmp_path, "default", kind, direction, states=states, bias=states, **attributes)
    assert network.check(inputs).layers == 1


def sigmoid(x):
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_bits_of_a_bidirectional_lstm(tmp_path, config, rounding):
    network, inputs, stored = recurrent(tmp_path, config, "LSTM", "bidirectional")
    products, found = Products(config, 4, rounding, seed=2), []
    for direction in range(2):
        w, r, b = (stored[name][direction] for name in "wrb")
        rows = inputs["x"].reshape(1, -1, 5)
        gates = products.multiply(rows, w.T[None], site=2 * direction)[0].reshape(7, 2, -1) + b[:24]
        h, c, outputs = inputs["h"][direction], inputs["c"][direction], {}
        for step in range(7)[:: -1 if direction else 1]:
            both = gates[step] + (products.multiply(h[None], r.T[None], site=2 * direction + 1)[0] + b[24:])
            i, o, f, g = np.split(both, 4, -1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = outputs[step] = sigmoid(o) * np.tanh(c)
        found.append((np.stack([outputs[step] for step in range(7)]), h, c))
    y = network.predict(inputs, rounding=rounding, seed=2)
    for name, parts, axis in zip(("y", "yh", "yc"), zip(*found, strict=True), (1, 0, 0), strict=True):
        equal(y[name], np.stack(parts, axis))


@pytest.mark.parametrize("linear", [0, 1])
def test_bits_of_a_gru(tmp_path, config, linear):
    network, inputs, stored = recurrent(tmp_path, config, "GRU", "forward", linear_before_reset=linear)
    products = Products(config, 2, "stochastic", seed=4)
    w, r, b, h = *(stored[name][0] for name in "wrb"), inputs["h"][0]
    gates = products.multiply(inputs["x"].reshape(1, -1, 5), w.T[None])[0].reshape(7, 2, -1) + b[:18]
    outputs = []
    for one in gates:
        if linear:
            hidden = products.multiply(h[None], r.T[None], site=1)[0] + b[18:]
            z, reset = np.split(sigmoid(one[:, :12] + hidden[:, :12]), 2, -1)
            new = np.tanh(one[:, 12:] + reset * hidden[:, 12:])
        else:
            hidden = products.multiply(h[None], r[:12].T[None], site=1)[0] + b[18:30]
            z, reset = np.split(sigmoid(one[:, :12] + hidden), 2, -1)
            new = np.tanh(one[:, 12:] + (products.multiply((reset * h)[None], r[12:].T[None], site=2)[0] + b[30:]))
        h = (np.float32(1) - z) * new + z * h
        outputs.append(h)
    y = network.predict(inputs, 2, rounding="stochastic", seed=4)
    equal(y["y"], np.stack(outputs)[:, None])
    equal(y["yh"], h[None])


def test_layers_have_their_numbers_as_seeds(tmp_path, config):
    x, weights = random(3, 16), random(16, 16)
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["r"]), node("MatMul", ["r", "w"], ["y"])]
    network = load(tmp_path, nodes, {"x": [3, 16]}, ["y"], {"w": weights}, engine=config)
    first = Products(config, 2, "stochastic", layer=0).multiply(x[None], weights[None])
    second = Products(config, 2, "stochastic", layer=1).multiply(np.maximum(first, 0), weights[None])
    equal(network.predict(x, 2, rounding="stochastic")["y"], second[0])


def test_a_sum_beyond_the_chip_is_refused(tmp_path):
    config = CONFIGS["sums"].changed({"engine.sum_max_k": 128})
    network = load(
        tmp_path,
        [node("MatMul", ["x", "w"], ["y"], name="long")],
        {"x": [1, 160]},
        ["y"],
        {"w": random(160, 2)},
        engine=config,
    )
    with pytest.raises(lowtide_onnx.RefusedNode, match=r"^layer 'long': K must be at most 128, [^\n]*long=fp32$"):
        network.predict(random(1, 160))
    assert network.predict(random(1, 160), "fp32")["y"].shape == (1, 2)
