"""Cuts a model at its layers: parts for onnxruntime, and the layers between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, TypeProto, ValueInfoProto, helper

from lowtide_onnx.placement import Placed, tensor_types, used_names, weights_of
from lowtide_onnx.sessions import Values, make_session

__all__ = ["HostPart", "inputs_of", "partition", "stored_values"]

FLOAT = helper.make_tensor_type_proto(TensorProto.FLOAT, None)


@attrs.frozen(kw_only=True, eq=False)
class HostPart:
    """Nodes that onnxruntime runs together.

    Parameters
    ----------
    nodes : tuple of Placed
        Nodes in order.
    inputs, outputs : tuple of str
        Tensors that the part reads, and tensors that later parts, layers or the user read.
    session : InferenceSession
        The part as a model.
    """

    nodes: tuple[Placed, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    session: onnxruntime.InferenceSession


def partition(model: ModelProto, placed: Sequence[Placed], *, every_tensor: bool = False) -> list[HostPart | Placed]:
    """Parts and layers in the order of computation.

    Parameters
    ----------
    model : ModelProto
        The model, with its types.
    placed : sequence of Placed
        Its nodes.
    every_tensor : bool
        Whether a part returns the outputs of all of its nodes, and onnxruntime does not fuse nodes.

    Raises
    ------
    ModelError
        If onnxruntime refuses a part.
    """
    level: dict[str, int] = {}
    host: dict[int, list[Placed]] = {}
    engine: dict[int, list[Placed]] = {}
    for one in placed:
        ready = max((level.get(name, 0) for name in used_names(one.node)), default=0)
        on_engine = one.where == "engine"
        (engine if on_engine else host).setdefault(ready, []).append(one)
        level.update(dict.fromkeys(one.node.output, ready + on_engine))
    partitioner = _Partitioner(model, every_tensor)
    steps: list[HostPart | Placed] = []
    needed = {one.name for one in model.graph.output}
    groups = [group for place in range(max((*host, *engine)) + 1) for group in (host.get(place), engine.get(place))]
    later: list[set[str]] = []
    for group in reversed(groups):
        later.append(set(needed))
        for one in group or ():
            needed.update(used_names(one.node))
    for number, (group, wanted) in enumerate(zip(groups, reversed(later), strict=True)):
        if not group:
            continue
        if number % 2:
            steps += group
            partitioner.types.update((group_output, FLOAT) for one in group for group_output in one.node.output)
        else:
            steps.append(partitioner.part(group, wanted))
    return steps


class _Partitioner:
    """Makes parts of a model, in order."""

    def __init__(self, model: ModelProto, every_tensor: bool):
        self.model, self.every_tensor = model, every_tensor
        self.stored = {one.name: one for one in model.graph.initializer}
        self.types = {name: _without_shape(of) for name, of in tensor_types(model).items()}

    def part(self, nodes: Sequence[Placed], wanted: set[str]) -> HostPart:
        made = [name for one in nodes for name in one.node.output if name]
        inside = set(made)
        read = dict.fromkeys(name for one in nodes for name in used_names(one.node))
        inputs = [name for name in read if name not in inside and name not in self.stored]
        outputs = [name for name in made if self.every_tensor or name in wanted]
        graph = helper.make_graph(
            [one.node for one in nodes],
            "part",
            [helper.make_value_info(name, self.types[name]) for name in inputs],
            [ValueInfoProto(name=name) for name in outputs],
            [self.stored[name] for name in read if name in self.stored],
        )
        part = helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        session = make_session(part, fused=not self.every_tensor)
        for one in session.get_outputs():
            if one.name not in self.types:
                self.types[one.name] = _type_of(one.type)
        return HostPart(nodes=tuple(nodes), inputs=tuple(inputs), outputs=tuple(outputs), session=session)


def _without_shape(of: TypeProto) -> TypeProto:
    """The type of a tensor without its shape, which the inputs of a run may change."""
    if not of.HasField("tensor_type"):
        return of
    return helper.make_tensor_type_proto(of.tensor_type.elem_type, None)


def _type_of(text: str) -> TypeProto:
    """The type that onnxruntime names, such as ``tensor(float)`` or ``seq(tensor(int64))``."""
    outer, _, inner = text.removesuffix(")").partition("(")
    if outer == "seq":
        return helper.make_sequence_type_proto(_type_of(inner))
    if outer == "optional":
        return helper.make_optional_type_proto(_type_of(inner))
    return helper.make_tensor_type_proto(TensorProto.DataType.Value(inner.upper()), None)


def stored_values(model: ModelProto, steps: Sequence[HostPart | Placed]) -> Values:
    """Stored tensors that layers or the user read."""
    read = {one.name for one in model.graph.output}
    read.update(name for one in steps if isinstance(one, Placed) for name in one.node.input)
    return {name: value for name, value in weights_of(model).items() if name in read}


def inputs_of(layer: Placed, values: Mapping[str, Any]) -> list[np.ndarray | None]:
    """Inputs of a layer; None for a missing optional input."""
    return [values[name] if name else None for name in layer.node.input]
