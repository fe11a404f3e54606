"""Sessions of onnxruntime, with errors in one line."""

from collections.abc import Mapping
from typing import Any

import onnxruntime
from onnx import ModelProto

from lowtide_onnx.errors import ModelError

__all__ = ["Values", "make_session", "run_session"]

Values = dict[str, Any]
"""Tensors by name: arrays, and lists of arrays for sequences."""


def make_session(model: ModelProto, *, fused: bool = True) -> onnxruntime.InferenceSession:
    """A session of onnxruntime on the CPU.

    Raises
    ------
    ModelError
        If onnxruntime refuses the model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    # Idle threads of many sessions would spin while NumPy and the engine compute.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ModelError(f"onnxruntime refuses the model: {' '.join(str(error).split())}") from None


def run_session(session: onnxruntime.InferenceSession, values: Mapping[str, Any]) -> Values:
    """Run a session on the tensors that it needs.

    Raises
    ------
    ModelError
        If onnxruntime fails.
    """
    names = [one.name for one in session.get_outputs()]
    try:
        found = session.run(names, {one.name: values[one.name] for one in session.get_inputs()})
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ModelError(f"onnxruntime fails: {' '.join(str(error).split())}") from None
    return dict(zip(names, found, strict=True))
