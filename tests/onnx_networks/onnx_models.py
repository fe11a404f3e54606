"""Small ONNX files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import lowtide_onnx
from lowtide.config import Config

__all__ = ["CONFIGS", "graph_of", "load", "node", "random", "save", "two_layers"]

CONFIGS = {
    "default": Config(),
    "sums": Config().changed(
        {"bfp.max_k": 64, "engine.buffer_depth": 16, "engine.sum_rows": 8, "engine.sum_columns": 8}
    ),
    "sliced": Config().changed({"bfp.max_k": 24, "bfp.lanes": 8, "engine.buffer_depth": 16}),
}
"""Engines with whole sums, with sums of several passes on chip, and with sums of the host."""

node = helper.make_node


def random(*shape: int, seed: int = 1) -> np.ndarray:
    """Random numbers of several magnitudes."""
    rng = np.random.default_rng([seed, *shape])
    return (rng.standard_normal(shape) * np.exp2(rng.integers(-3, 3, shape))).astype(np.float32)


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str] | None],
    outputs: Sequence[str],
    stored: Mapping[str, np.ndarray] | None = None,
    kinds: Mapping[str, int] | None = None,
) -> onnx.GraphProto:
    """A graph; inputs are of float32 unless ``kinds`` has their type."""
    types = kinds or {}
    return helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), shape) for n, shape in inputs.items()],
        [helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), None) for n in outputs],
        [numpy_helper.from_array(value, name) for name, value in (stored or {}).items()],
    )


def save(folder: Path, graph: onnx.GraphProto, *, opset: int = 17, **more: Any) -> Path:
    """Write a model with a graph."""
    opsets = more.pop("opset_imports", [helper.make_opsetid("", opset)])
    file = folder / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8, **more), file)
    return file


def load(folder: Path, *arguments: Any, engine: Config | str = "default", opset: int = 17, **more: Any):
    """Write a model of `graph_of`, and load it."""
    return lowtide_onnx.load_onnx(save(folder, graph_of(*arguments, **more), opset=opset), engine)


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
