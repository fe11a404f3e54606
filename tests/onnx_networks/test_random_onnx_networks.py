"""Random convolutions and chains of layers: bits of the slow reference, and onnxruntime's numbers."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import CONFIGS, graph_of, load, node, random, save
from onnx_reference import Products

import lowtide_onnx


@st.composite
def convolutions(draw):
    """Geometry of a convolution with at least one window."""
    dimensions = draw(st.integers(1, 2))

    def each(least, most):
        return draw(st.lists(st.integers(least, most), min_size=dimensions, max_size=dimensions))

    kernel, strides, dilations, before, after = each(1, 3), each(1, 3), each(1, 2), each(0, 3), each(0, 3)
    reaches = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    sizes = [max(size, r - b - a) for size, r, b, a in zip(each(1, 6), reaches, before, after, strict=True)]
    groups = draw(st.integers(1, 3))
    return {
        "images": draw(st.integers(1, 2)),
        "groups": groups,
        "channels": groups * draw(st.integers(1, 5)),
        "outputs": groups * draw(st.integers(1, 3)),
        "sizes": sizes,
        "kernel": kernel,
        "strides": strides,
        "dilations": dilations,
        "pads": list(zip(before, after, strict=True)),
        "bias": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**31)),
    }


@settings(max_examples=60, deadline=None)
@given(
    of=convolutions(),
    name=st.sampled_from(sorted(CONFIGS)),
    bits=st.sampled_from([2, 4]),
    rounding=st.sampled_from(["nearest", "truncate", "stochastic"]),
)
def test_random_convolutions(of, name, bits, rounding):
    config, groups, seed = CONFIGS[name], of["groups"], of["seed"]
    x = random(of["images"], of["channels"], *of["sizes"], seed=seed)
    stored = {"w": random(of["outputs"], of["channels"] // groups, *of["kernel"], seed=seed)}
    if of["bias"]:
        stored["b"] = random(of["outputs"], seed=seed)
    pads = [pad[side] for side in (0, 1) for pad in of["pads"]]
    one = node(
        "Conv",
        ["x", *stored],
        ["y"],
        group=groups,
        pads=pads,
        strides=of["strides"],
        dilations=of["dilations"],
    )
    with tempfile.TemporaryDirectory() as folder:
        network = load(Path(folder), [one], {"x": None}, ["y"], stored, engine=config)
    expected = Products(config, bits, rounding, seed=5).convolution(
        x,
        stored["w"],
        stored.get("b"),
        strides=of["strides"],
        dilations=of["dilations"],
        pads=of["pads"],
        groups=groups,
    )
    found = network.predict(x, bits, rounding=rounding, seed=5)["y"]
    np.testing.assert_array_equal(found.view(np.uint32), np.ascontiguousarray(expected, np.float32).view(np.uint32))
    network.check(x)


HOST = ("Relu", "Tanh", "Neg", "Identity", "Sigmoid")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_graphs_have_the_order_of_their_inputs(data):
    """Each node reads earlier tensors; the outputs are some of the tensors, layers among them."""
    x, w = random(3, 8), random(8, 8) / 8
    values, nodes = {"x": x}, []
    for number in range(data.draw(st.integers(1, 12))):
        kind = data.draw(st.sampled_from(["MatMul", "MatMul", "Add", *HOST]))
        reads = [data.draw(st.sampled_from(sorted(values))) for _ in range(1 + (kind == "Add"))]
        name = f"t{number}"
        nodes.append(node(kind, [*reads, *["w"] * (kind == "MatMul")], [name]))
        a = values[reads[0]]
        if kind == "MatMul":
            values[name] = Products(CONFIGS["default"]).multiply(a[None], w[None])[0]
        else:
            plain = {
                "Add": lambda a: a + values[reads[1]],  # noqa: B023
                "Relu": lambda a: np.maximum(a, 0),
                "Neg": np.negative,
                "Identity": np.copy,
            }
            values[name] = plain[kind](a) if kind in plain else _of_onnxruntime(kind, a)
    outputs = data.draw(st.lists(st.sampled_from([one.output[0] for one in nodes]), min_size=1, unique=True))
    with tempfile.TemporaryDirectory() as folder:
        network = load(Path(folder), nodes, {"x": [3, 8]}, outputs, {"w": w})
    found = network.predict(x)
    assert list(found) == outputs
    for name in outputs:
        np.testing.assert_array_equal(found[name], values[name])
    needed, layers = set(outputs), 0
    for one in reversed(nodes):
        if one.output[0] in needed:
            needed.update(one.input)
            layers += one.op_type == "MatMul"
    assert network.check(x).layers == len(network.layers) == layers


def _of_onnxruntime(kind, x):
    with tempfile.TemporaryDirectory() as folder:
        file = save(Path(folder), graph_of([node(kind, ["x"], ["y"])], {"x": [3, 8]}, ["y"]))
        return lowtide_onnx.load_onnx(file).predict(x)["y"]
