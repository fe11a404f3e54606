"""Illegal files, inputs and engines: one line that names what is wrong, and what is legal."""

import subprocess
import sys

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto  # noqa: E402
from onnx_models import graph_of, load, node, random, save  # noqa: E402

import lowtide_onnx  # noqa: E402
from lowtide.config import Config, ConfigError  # noqa: E402
from lowtide.formats.parameter import IllegalValue  # noqa: E402
from lowtide_model.engine.golden_engine import GoldenEngine  # noqa: E402
from lowtide_onnx import InputError, ModelError, NonFinite  # noqa: E402


def linear(folder, **more):
    nodes = [node("Log", ["x"], ["h"], name="log"), node("MatMul", ["h", "w"], ["y"], name="layer")]
    return load(folder, nodes, {"x": ["n", 8]}, ["y"], {"w": random(8, 3)}, **more)


def refused(kind, call, *arguments, **more):
    with pytest.raises(kind) as error:
        call(*arguments, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "it is not an ONNX model with nodes"),
        (b"text of another kind", "it is not an ONNX model"),
        (b"\x08\x08", "it is not an ONNX model with nodes"),
        (b"\x00" * 100, "it is not an ONNX model"),
    ],
)
def test_a_file_that_is_no_model(tmp_path, content, message):
    file = tmp_path / "model.onnx"
    if content is not None:
        file.write_bytes(content)
    assert refused(ModelError, lowtide_onnx.load_onnx, file) == f"cannot read {file}: {message}"


def test_a_folder_is_no_model(tmp_path):
    assert refused(ModelError, lowtide_onnx.load_onnx, tmp_path) == f"cannot read {tmp_path}: it is not a file"


@pytest.mark.parametrize("opset", [6, 999])
def test_an_operation_set_of_another_time(tmp_path, opset):
    graph = graph_of([node("Relu", ["x"], ["y"])], {"x": [2]}, ["y"])
    newest = onnx.defs.onnx_opset_version()
    message = refused(ModelError, lowtide_onnx.load_onnx, save(tmp_path, graph, opset=opset))
    assert f"the operation set must be from 7 to {newest}, not {opset}: onnx.version_converter" in message


@pytest.mark.parametrize(
    "one",
    [
        node("NoSuchOperation", ["x"], ["y"]),
        node("Relu", ["missing"], ["y"]),
        node("Relu", ["x"], ["y"], domain="unknown"),
        node("Conv", ["x"], ["y"]),
        node("Relu", ["x", "x"], ["y"]),
    ],
)
def test_an_illegal_model(tmp_path, one):
    message = refused(ModelError, lowtide_onnx.load_onnx, save(tmp_path, graph_of([one], {"x": [2]}, ["y"])))
    assert message.startswith("onnxruntime refuses the model: ")


def test_a_truncated_model(tmp_path):
    file = save(tmp_path, graph_of([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 8]}, ["y"], {"w": random(8, 8)}))
    whole = file.read_bytes()
    for length in (1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(ModelError, lowtide_onnx.load_onnx, file)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "input 'x' is missing; inputs: x"),
        ({"x": np.ones((1, 8), np.float32), "z": 1}, "unknown input 'z'; inputs: x"),
        (np.ones((1, 7), np.float32), "input 'x' must have the shape (n, 8), not (1, 7)"),
        (np.ones(8, np.float32), "input 'x' must have the shape (n, 8), not (8)"),
        (np.ones((1, 8)), "input 'x' must be of float32, not float64: call astype"),
        (np.ones((1, 8), int), "input 'x' must be of float32, not int64: call astype"),
        ([[1.0], [1.0, 2.0]], "input 'x' must be an array of float32"),
        ("text", "input 'x' must be of float32, not <U4: call astype"),
        (None, "input 'x' must be of float32, not object: call astype"),
    ],
)
def test_inputs_that_the_model_does_not_have(tmp_path, inputs, message):
    assert refused(InputError, linear(tmp_path).predict, inputs) == message


def test_an_array_for_two_inputs(tmp_path):
    network = load(tmp_path, [node("MatMul", ["a", "b"], ["y"])], {"a": [2, 3], "b": [3, 2]}, ["y"])
    assert refused(InputError, network.predict, random(2, 3)) == "inputs must be a mapping with a, b, not ndarray"


def test_an_input_with_a_nan(tmp_path):
    x = np.ones((2, 8), np.float32)
    x[1, 3] = np.nan
    message = refused(NonFinite, linear(tmp_path).predict, x)
    assert message == "input 'x' must have no NaN, and has one at (1, 3)"


@pytest.mark.parametrize(("value", "found"), [(-1.0, "nan"), (0.0, "inf")])
def test_an_operand_that_is_not_finite(tmp_path, value, found):
    x = np.ones((2, 8), np.float32)
    x[0, 0] = value
    message = refused(NonFinite, linear(tmp_path).predict, x)
    assert message == f"layer 'layer': tensor 'h', the output of node 'log', must be finite, not {found}"


def test_weights_that_are_not_finite(tmp_path):
    weights = random(8, 2)
    weights[0, 1] = np.inf
    network = load(tmp_path, [node("MatMul", ["x", "w"], ["y"])], {"x": [1, 8]}, ["y"], {"w": weights})
    message = refused(NonFinite, network.predict, random(1, 8))
    assert message == "layer 'MatMul_0': tensor 'w' must be finite, not inf"
    assert network.predict(random(1, 8), "fp32")["y"].shape == (1, 2)


def test_inputs_on_which_onnxruntime_fails(tmp_path):
    nodes = [node("Gather", ["w", "i"], ["h"]), node("MatMul", ["h", "w"], ["y"])]
    network = load(tmp_path, nodes, {"i": ["n"]}, ["y"], {"w": random(8, 8)}, {"i": TensorProto.INT64})
    assert network.predict(np.array([7]))["y"].shape == (1, 8)
    assert refused(ModelError, network.predict, np.array([8])).startswith("onnxruntime fails: ")


def test_sizes_that_do_not_multiply(tmp_path):
    network = load(
        tmp_path, [node("MatMul", ["a", "b"], ["y"], name="layer")], {"a": ["m", "k"], "b": ["l", "n"]}, ["y"]
    )
    inputs = {"a": random(2, 3), "b": random(4, 2)}
    for precision in (4, "fp32"):
        message = refused(InputError, network.predict, inputs, precision)
        assert message == "layer 'layer': matrices of shapes (2, 3) and (4, 2) do not multiply"


WRONG_SHAPES = {
    "channels": (
        node("Conv", ["x", "w"], ["y"], name="layer"),
        random(1, 3, 5, 5),
        "input 0 must have the shape (?, 2, ?, ?)",
    ),
    "groups": (
        node("Conv", ["x", "w"], ["y"], name="layer", group=2),
        random(1, 5, 5, 5),
        "input 0 must have the shape (?, 4, ?, ?), not (1, 5, 5, 5)",
    ),
    "outputs": (
        node("Conv", ["x", "w"], ["y"], name="layer", group=3),
        random(1, 6, 5, 5),
        "input 1 must have a multiple of 3 outputs, not 4",
    ),
    "windows": (
        node("Conv", ["x", "w"], ["y"], name="layer"),
        random(1, 2, 2, 5),
        "windows of (3, 3) do not fit into (2, 5) with the padding ((0, 0), (0, 0))",
    ),
    "bias": (
        node("Conv", ["x", "w", "one"], ["y"], name="layer"),
        random(1, 2, 5, 5),
        "input 2 must have the shape (4), not (1)",
    ),
    "addend": (
        node("Gemm", ["x", "m", "x"], ["y"], name="layer"),
        random(5, 3),
        "input 2 must broadcast to (5, 2), not have the shape (5, 3)",
    ),
    "dimensions": (
        node("Gemm", ["x", "m"], ["y"], name="layer"),
        random(5, 3, 3),
        "input 0 must have the shape (?, ?), not (5, 3, 3)",
    ),
    "number": (
        node("MatMul", ["x", "m"], ["y"], name="layer"),
        np.float32(1),
        "matrices of shapes () and (3, 2) do not multiply",
    ),
    "batches": (
        node("MatMul", ["x", "w"], ["y"], name="layer"),
        random(3, 2, 4, 3),
        "batches of shapes (3, 2) and (4, 2) do not broadcast",
    ),
    "sequence": (
        node("LSTM", ["x", "l", "r"], ["y"], name="layer", hidden_size=2),
        random(5, 1, 4),
        "input 1 must have the shape (1, 8, 4), not (1, 8, 3)",
    ),
    "state": (
        node("LSTM", ["x", "l", "r", "", "", "h"], ["y"], name="layer", hidden_size=2),
        random(5, 3, 3),
        "input 5 must have the shape (1, 3, 2), not (1, 1, 2)",
    ),
}


@pytest.mark.parametrize("kind", WRONG_SHAPES)
def test_shapes_that_do_not_fit_together(tmp_path, kind):
    one, x, message = WRONG_SHAPES[kind]
    stored = {
        "w": random(4, 2, 3, 3),
        "one": random(1),
        "m": random(3, 2),
        "l": random(1, 8, 3),
        "r": random(1, 8, 2),
        "h": random(1, 1, 2),
    }
    hidden = {name: value for name, value in stored.items() if name in one.input}
    # The shape of each tensor is unknown until the network runs.
    nodes = [node("Reshape", [name, f"{name}_shape"], [f"{name}_"]) for name in hidden] + [
        node("Reshape", ["x", "shape"], ["x_"])
    ]
    copy = node(one.op_type, [f"{name}_" if name else "" for name in one.input], ["y"], name="layer")
    copy.attribute.extend(one.attribute)
    shapes = {f"{name}_shape": np.array(value.shape, np.int64) for name, value in hidden.items()} | {
        "shape": np.array(x.shape, np.int64)
    }
    inputs = {"x": None} | {name: ["n"] for name in shapes}
    kinds = dict.fromkeys(shapes, int(TensorProto.INT64))
    graph = graph_of([*nodes, copy], inputs, ["y"], hidden, kinds)
    if one.op_type == "Conv":
        graph.value_info.append(onnx.helper.make_tensor_value_info("w_", TensorProto.FLOAT, [None] * 4))
    network = lowtide_onnx.load_onnx(save(tmp_path, graph))
    for precision in (4, "fp32"):
        found = refused(InputError, network.predict, {"x": x, **shapes}, precision)
        assert found.startswith(f"layer 'layer': {message}")


def test_an_empty_batch_has_empty_outputs(tmp_path):
    assert linear(tmp_path).predict(np.ones((0, 8), np.float32))["y"].shape == (0, 3)


def test_engines(tmp_path):
    network = linear(tmp_path)
    x = np.ones((1, 8), np.float32)
    wanted = "on must be golden, verilator, or an engine such as a Device, not "
    assert refused(IllegalValue, network.predict, x, on="gold") == f"{wanted}'gold'"
    assert refused(IllegalValue, network.predict, x, on=None) == f"{wanted}None"
    assert refused(IllegalValue, network.predict, x, on=Config()).startswith(wanted)
    other = GoldenEngine(Config().changed({"array.rows": 4}))
    message = refused(lowtide_onnx.EngineDiffers, network.predict, x, on=other)
    assert message.startswith("the engine must have array.rows = 8, as the network, not 4:")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rounding": "up"}, "rounding must be one of truncate, nearest, stochastic, not 'up'"),
        ({"seed": -1}, "seed must be from 0 to 4294967295, not -1"),
        ({"seed": 1.0}, "seed must be from 0 to 4294967295, not 1.0"),
    ],
)
def test_options_of_a_run(tmp_path, more, message):
    x = np.ones((1, 8), np.float32)
    assert refused(IllegalValue, linear(tmp_path).predict, x, **more) == message
    assert refused(IllegalValue, linear(tmp_path).report, x, **more) == message


def test_operands_of_a_report(tmp_path):
    x = np.ones((1, 8), np.float32)
    message = refused(IllegalValue, linear(tmp_path).report, x, operands="int8")
    assert message == "operands must be one of fp32, packed, not 'int8'"
    network = linear(tmp_path, engine=Config().changed({"engine.packed_operands": False}))
    message = refused(IllegalValue, network.report, x, operands="packed")
    assert message == "operands must be one of fp32 (engine.packed_operands), not 'packed'"


def test_configurations(tmp_path):
    refused(ConfigError, linear, tmp_path, engine="defualt")
    refused(ConfigError, linear, tmp_path, engine="terms")
    assert refused(IllegalValue, linear, tmp_path, engine=3) == "engine must be of type Config, not 3"


def test_shapes_of_random_inputs(tmp_path):
    network = linear(tmp_path)
    assert network.random_inputs()["x"].shape == (1, 8)
    assert network.random_inputs(shapes={"x": (5, 8)})["x"].shape == (5, 8)
    np.testing.assert_array_equal(network.random_inputs(3)["x"], network.random_inputs(3)["x"])
    assert (network.random_inputs(3)["x"] != network.random_inputs(4)["x"]).all()
    message = refused(InputError, network.random_inputs, shapes={"x": (5, 7)})
    assert message == "shape of input 'x' must be (n, 8), not (5, 7)"
    message = refused(InputError, network.random_inputs, shapes={"z": (5, 7)})
    assert message == "shape of an unknown input 'z'; inputs: x"
    message = refused(IllegalValue, network.random_inputs, shapes={"x": (0, 8)})
    assert message == "shape of 'x' must be from 1 to 2147483647, not 0"


def test_texts_are_not_random(tmp_path):
    graph = graph_of([node("Identity", ["x"], ["y"])], {"x": [2]}, ["y"], kinds={"x": TensorProto.STRING, "y": 8})
    network = lowtide_onnx.load_onnx(save(tmp_path, graph))
    message = refused(InputError, network.random_inputs)
    assert message == "input 'x' has no numbers that can be random; give the inputs"
    assert network.predict(np.array(["a", "b"]))["y"].tolist() == ["a", "b"]


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(missing):
    script = f"""
import sys  # noqa: E402
sys.modules[{missing!r}] = None
import lowtide_onnx  # noqa: E402
try:
    lowtide_onnx.load_onnx("model.onnx")
except lowtide_onnx.MissingPackage as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == f"lowtide_onnx needs {missing}: pip install 'lowtide[onnx]'\n", done.stderr


def test_torch_is_not_imported(tmp_path):
    file = save(tmp_path, graph_of([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 8]}, ["y"], {"w": random(8, 8)}))
    script = f"""
import sys, lowtide_onnx  # noqa: E402
lowtide_onnx.load_onnx({str(file)!r}).report()
print({{"torch", "sklearn", "lowtide_sim", "lowtide_studies"}} & set(sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"
