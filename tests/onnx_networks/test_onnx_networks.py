"""Networks of several nodes: places, order, precision, check and report."""

import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper  # noqa: E402
from onnx_models import CONFIGS, graph_of, load, node, random, save  # noqa: E402
from onnx_reference import Products  # noqa: E402

import lowtide_onnx  # noqa: E402
from lowtide.config import Config  # noqa: E402
from lowtide.formats.parameter import IllegalValue  # noqa: E402
from lowtide_model.engine.golden_engine import GoldenEngine  # noqa: E402
from lowtide_model.layer_cost import Layer, Setting, layer_costs  # noqa: E402
from lowtide_onnx import convolution, recurrent  # noqa: E402

FLOAT = TensorProto.FLOAT


def two_layers(folder, engine="default"):
    """A network of two products, with operations of the host before, between and after them."""
    nodes = [
        node("Abs", ["x"], ["positive"], name="abs"),
        node("MatMul", ["positive", "w"], ["h"], name="first"),
        node("Add", ["h", "b"], ["biased"], name="add"),
        node("Relu", ["biased"], ["r"], name="relu"),
        node("Gemm", ["r", "v"], ["y"], name="head"),
        node("Softmax", ["y"], ["p"], name="softmax"),
    ]
    stored = {"w": random(20, 12), "b": random(12), "v": random(12, 3)}
    return load(folder, nodes, {"x": ["batch", 20]}, ["p", "r"], stored, engine=engine), stored


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


def test_names_of_nodes_are_unique(tmp_path):
    nodes = [
        node("MatMul", ["x", "w"], ["a"]),
        node("MatMul", ["a", "w"], ["b"], name="MatMul_0"),
        node("MatMul", ["b", "w"], ["y"]),
    ]
    network = load(tmp_path, nodes, {"x": [2, 8]}, ["y"], {"w": random(8, 8)})
    assert network.layers == ["MatMul_0", "MatMul_0#2", "MatMul_2"]


def bits_of(network, precision):
    """Magnitude bits of each layer of a run."""
    report = network.report(network.random_inputs(), precision)
    return {one.name: one.bits for one in report.layers}


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (None, [(4, 4), (4, 4)]),
        (2, [(2, 2), (2, 2)]),
        ((4, 2), [(4, 2), (4, 2)]),
        ("fp32", [None, None]),
        ({"*": 2, "head": 4}, [(2, 2), (4, 4)]),
        ({"head": 4, "*": 2}, [(2, 2), (4, 4)]),
        ({"head": 2}, [(4, 4), (2, 2)]),
        ({"f*": (2, 4), "h*": "fp32"}, [(2, 4), None]),
        ({"*d": 2, "*": "fp32"}, [None, (2, 2)]),
        ({"h*": 2, "head": 4}, [(4, 4), (4, 4)]),
        ({"*": np.int64(2)}, [(2, 2), (2, 2)]),
    ],
)
def test_precision_of_layers(tmp_path, precision, expected):
    network, _ = two_layers(tmp_path)
    if precision == {"h*": 2, "head": 4}:
        with pytest.raises(IllegalValue, match=r"^precision must be for layers: first, head, not 'h\*'$"):
            bits_of(network, precision)
        return
    assert list(bits_of(network, precision).values()) == expected


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ({"heads": 4}, "precision must be for layers: first, head, not 'heads'"),
        ({3: 4}, "precision must be for the names of layers, not 3"),
        (8, r"precision must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 8"),
        ({"head": 3}, r"precision of 'head' must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 3"),
        ({"head": 4.0}, r"precision of 'head' must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 4.0"),
        ("fp16", "precision must be a number of bits, two of them, or 'fp32', not 'fp16'"),
        ((4, 2, 2), r"precision must be a number of bits, two of them, or 'fp32', not \(4, 2, 2\)"),
        ({"*": True}, r"precision must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not True"),
    ],
)
def test_an_illegal_precision_is_refused(tmp_path, precision, message):
    network, _ = two_layers(tmp_path)
    with pytest.raises(IllegalValue, match=f"^{message}$"):
        network.predict(random(1, 20), precision)


def test_a_layer_on_the_host_has_its_numbers(tmp_path):
    network, stored = two_layers(tmp_path)
    x = random(4, 20)
    h = np.abs(x) @ stored["w"]
    np.testing.assert_allclose(
        network.predict(x, {"first": "fp32"})["r"], np.maximum(h + stored["b"], 0), rtol=1e-5, atol=1e-5
    )


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
    assert str(checked).startswith("2 layers and 1 nodes on the host equal onnxruntime's within the bounds;")
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
    from lowtide_model import default_bias
    from lowtide_model.engine.operand import OperandSettings
    from lowtide_model.engine.panels import multiply

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


def test_progress_counts_layers(tmp_path):
    network, _ = two_layers(tmp_path)
    seen = []
    network.predict(random(2, 20), progress=lambda *now: seen.append(now))
    assert seen == [(1, 2, "first"), (2, 2, "head")]


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
