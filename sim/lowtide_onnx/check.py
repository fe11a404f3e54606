"""Compares each node with onnxruntime's run of the whole model."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from onnx import ModelProto, ValueInfoProto

from lowtide_onnx.errors import NodeDiffers
from lowtide_onnx.matmul import Gemm
from lowtide_onnx.placement import RANDOM, Placed
from lowtide_onnx.products import reference_product
from lowtide_onnx.recurrent import Gru, Lstm
from lowtide_onnx.sessions import Values, make_session, run_session
from lowtide_onnx.steps import HostPart, inputs_of

__all__ = ["Checked", "check_nodes", "every_output"]

HALF_UNIT = 2.0**-24
"""Relative error of a rounding to FP32."""

LOOSE = 1e-4
"""Bound of recurrent layers and of nodes on the host, relative to the largest magnitude of a tensor."""


@attrs.frozen(kw_only=True)
class Checked:
    """Result of a check without a difference.

    Parameters
    ----------
    layers, nodes : int
        Number of compared layers, and of compared nodes on the host.
    closest : float
        Largest difference in units of its bound; at most 1.
    closest_node : str
        Node with this difference.
    """

    layers: int
    nodes: int
    closest: float
    closest_node: str

    def __str__(self) -> str:
        layers, nodes = _counted(self.layers, "layer"), _counted(self.nodes, "node")
        return (
            f"{layers} and {nodes} on the host equal onnxruntime's within the bounds;"
            f" largest difference: {self.closest:.2g} of the bound, at {self.closest_node}"
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def every_output(model: ModelProto, names: Sequence[str]) -> ModelProto:
    """The model with further tensors as outputs."""
    found = ModelProto()
    found.CopyFrom(model)
    known = {one.name for one in model.graph.output}
    found.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    return found


def check_nodes(model: ModelProto, steps: Sequence[HostPart | Placed], values: Values) -> Checked:
    """Compare the outputs of all nodes, each from onnxruntime's values of its inputs.

    The products are sums in float64. A product of K elements differs from onnxruntime's by at most ``(K + 4) * 2**-23``
    times the sum of the magnitudes, whatever the order of a sum in FP32. Recurrent layers and nodes on the host differ
    by at most `LOOSE` times the largest magnitude of the tensor. Nodes with random outputs are skipped.

    Parameters
    ----------
    model : ModelProto
        The model.
    steps : sequence of HostPart or Placed
        The partitioned model, whose parts return every tensor.
    values : dict
        Inputs and stored tensors.

    Raises
    ------
    NodeDiffers
        If an output differs; the message names the first such node.
    """
    nodes = [one for step in steps for one in ([step] if isinstance(step, Placed) else step.nodes)]
    names = [name for one in nodes for name in one.node.output if name]
    expected = run_session(make_session(every_output(model, names), fused=False), values)
    closest, where = 0.0, nodes[0].name
    for step in steps:
        if isinstance(step, Placed):
            outputs, bounds = _layer(step, values)
            found = {name: value for name, value in zip(step.node.output, outputs, strict=False) if name}
            limits = dict(zip(step.node.output, bounds, strict=False))
        else:
            found, limits = run_session(step.session, values), {}
        for one in [step] if isinstance(step, Placed) else step.nodes:
            for name in one.node.output if one.node.op_type not in RANDOM else ():
                if name in found:
                    ratio = _compared(one, name, found[name], expected[name], limits.get(name))
                    if ratio > closest:
                        closest, where = ratio, one.name
        values.update({name: expected[name] for name in found})
    layers = sum(isinstance(step, Placed) for step in steps)
    return Checked(layers=layers, nodes=len(nodes) - layers, closest=closest, closest_node=where)


def _layer(placed: Placed, values: Mapping[str, Any]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs of a layer, and their bounds."""
    layer, inputs = placed.layer, inputs_of(placed, values)
    assert layer is not None
    outputs = layer.compute(inputs, lambda _site, a, b: reference_product(a, b))
    if isinstance(layer, Lstm | Gru):
        return outputs, []
    magnitudes = [None if x is None else np.abs(x) for x in inputs]
    lengths: list[int] = []

    def multiply(_site: int, a: Any, b: Any) -> np.ndarray:
        lengths.append(a.x.shape[2])
        return reference_product(a, b)

    sums = (layer.bound if isinstance(layer, Gemm) else layer).compute(magnitudes, multiply)
    return outputs, [one * np.float32((lengths[0] + 4) * 2 * HALF_UNIT) + np.float32(1e-37) for one in sums]


def _compared(placed: Placed, name: str, found: Any, expected: Any, bound: np.ndarray | None) -> float:
    """Largest difference of two tensors in units of the bound.

    Raises
    ------
    NodeDiffers
        If the difference exceeds the bound.
    """
    if not isinstance(found, np.ndarray):
        pairs = zip(found, expected, strict=True) if isinstance(found, list) else ()
        return max((_compared(placed, name, *pair, None) for pair in pairs), default=0.0)
    what = f"node {placed.name!r} ({placed.operation}): output {name!r}"
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise NodeDiffers(
            f"{what} has the shape {found.shape} of {found.dtype}; onnxruntime has {expected.shape} of {expected.dtype}"
        )
    if found.dtype.kind != "f" or not found.size:
        differs = np.atleast_1d(found != expected)
        if differs.any():
            index = tuple(int(i) for i in np.argwhere(differs)[0])
            raise NodeDiffers(f"{what} differs from onnxruntime's at {index}, and must be equal")
        return 0.0
    equal = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.abs(expected[np.isfinite(expected)])
        limit = np.float64(LOOSE) * (finite.max() if finite.size else 0.0) if bound is None else bound
        ratios = np.where(equal, 0.0, np.abs(found.astype(np.float64) - expected) / np.maximum(limit, 1e-37))
    ratios = np.atleast_1d(np.where(np.isnan(ratios), np.inf, ratios))
    worst = np.unravel_index(int(ratios.argmax()), ratios.shape)
    if ratios[worst] > 1:
        index = tuple(int(i) for i in worst) if found.ndim else ()
        limits = np.broadcast_to(limit, found.shape)
        raise NodeDiffers(
            f"{what} at {index} is {found[index]:.9g}; onnxruntime has {expected[index]:.9g},"
            f" and the bound is {limits[index]:.3g}"
        )
    return float(ratios[worst])
