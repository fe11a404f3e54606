"""Reads an ONNX file, checked, with functions inlined and types inferred; and writes one."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from google.protobuf import json_format, message, text_format
from onnx import GraphProto, ModelProto, checker, defs, inliner, numpy_helper, parser, shape_inference

from lowtide_onnx.errors import ModelError
from lowtide_onnx.sessions import make_session

__all__ = ["read_model", "with_tensors", "write_model"]

# The suffix of a file selects one of ONNX's formats: binary, JSON, or two kinds of text.
UNREADABLE = (message.Error, json_format.Error, text_format.Error, parser.ParseError, ValueError, RecursionError)
"""Errors of files that are not in the format of their suffix."""

OLDEST = 7
"""Operations before this operation set broadcast in another way, and onnxruntime does not run all of them."""


def read_model(path: Path) -> ModelProto:
    """Read a model.

    Raises
    ------
    ModelError
        If the file cannot be read, is not a legal ONNX model, or needs another operation set.
    """
    try:
        if not path.is_file():
            what = "it is not a file" if path.exists() else "no such file"
            raise ModelError(f"cannot read {path}: {what}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the text format is experimental
            model = onnx.load(path)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from None
    except (*UNREADABLE, checker.ValidationError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"cannot read {path}: it is not an ONNX model") from None
    if not model.ir_version or not model.graph.node:
        raise ModelError(f"cannot read {path}: it is not an ONNX model with nodes")
    newest = defs.onnx_opset_version()
    for one in model.opset_import:
        if one.domain in ("", "ai.onnx") and not OLDEST <= one.version <= newest:
            raise ModelError(
                f"{path}: the operation set must be from {OLDEST} to {newest}, not {one.version}:"
                " onnx.version_converter converts the model"
            )
    make_session(model, fused=False)  # checks the model; parts of it may lack what is wrong
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        model = shape_inference.infer_shapes(model, data_prop=True)
    except (shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path} is not a legal model: {_first_line(error)}") from None
    _store_constants(model)
    return model


def with_tensors(model: ModelProto, tensors: Mapping[str, np.ndarray]) -> ModelProto:
    """A copy of a model with other values of stored tensors."""
    changed = ModelProto()
    changed.CopyFrom(model)
    for one in changed.graph.initializer:
        if one.name in tensors:
            one.CopyFrom(numpy_helper.from_array(tensors[one.name], one.name))
    return changed


def write_model(model: ModelProto, path: Path) -> None:
    """Write a model.

    Raises
    ------
    ModelError
        If the file cannot be written, or the model exceeds the 2 GB of an ONNX file.
    """
    try:
        onnx.save(model, path)
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror or error}") from None
    except (message.EncodeError, ValueError):
        raise ModelError(f"cannot write {path}: the model exceeds the 2 GB of an ONNX file") from None


def _store_constants(model: ModelProto) -> None:
    """Replace nodes of constants by stored tensors, which are no inputs."""
    graph, kept = model.graph, GraphProto()
    for node in graph.node:
        tensor = next((one.t for one in node.attribute if one.name == "value"), None)
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx") and tensor is not None:
            stored = graph.initializer.add()
            stored.CopyFrom(tensor)
            stored.name = node.output[0]
        else:
            kept.node.add().CopyFrom(node)
    names = {one.name for one in graph.initializer}
    kept.input.extend(one for one in graph.input if one.name not in names)
    for field in ("node", "input"):
        graph.ClearField(field)
    graph.node.extend(kept.node)
    graph.input.extend(kept.input)
    model.ir_version = max(model.ir_version, 4)  # before version 4, each stored tensor is an input


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
