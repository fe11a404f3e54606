"""Place of each node: on the engine, on the host, or refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, helper, numpy_helper

from lowtide_onnx.convolution import PADS, Convolution
from lowtide_onnx.errors import ModelError
from lowtide_onnx.matmul import Gemm, MatMul
from lowtide_onnx.operand import Layer, Sizes
from lowtide_onnx.recurrent import DIRECTIONS, Gru, Lstm

__all__ = ["RANDOM", "Placed", "place_nodes", "remove_unused", "tensor_types", "used_names", "weights_of"]

ON_ENGINE = ("MatMul", "Gemm", "Conv", "LSTM", "GRU")
"""Operations whose products run on an engine."""

PRODUCT_WORDS = ("MatMul", "Gemm", "Conv", "LSTM", "GRU", "RNN", "Attention", "Einsum", "Linear", "SVM", "MoE")
"""Parts of the names of all operations with products, of ONNX and of onnxruntime."""

RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
DEFAULT_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


@attrs.frozen(kw_only=True, eq=False)
class Placed:
    """A node and its place.

    Parameters
    ----------
    name : str
        Name of the node; a node without a name has its operation and number.
    node : NodeProto
        The node.
    where : str
        ``engine``, ``host`` or ``refused``.
    reason : str
        Reason of a refusal.
    layer : Layer, optional
        Products of a node on the engine.
    sizes : tuple of (int or None)
        M, K and N of a node on the engine.
    """

    name: str
    node: NodeProto
    where: str
    reason: str = ""
    layer: Layer | None = None
    sizes: Sizes = (None, None, None)

    @property
    def operation(self) -> str:
        """Name of the operation, with its domain if it is not ONNX's."""
        domain = self.node.domain
        return self.node.op_type if domain in ("", "ai.onnx") else f"{domain}.{self.node.op_type}"


def place_nodes(model: ModelProto) -> list[Placed]:
    """Place each node of a model whose types are inferred."""
    types = tensor_types(model)
    constants = {one.name for one in model.graph.initializer}
    placed: list[Placed] = []
    names: set[str] = set()
    for number, node in enumerate(model.graph.node):
        name = _unique(node.name or f"{node.op_type}_{number}", names)
        if node.op_type not in RANDOM and constants.issuperset(used_names(node)):
            constants.update(node.output)
            placed.append(Placed(name=name, node=node, where="host"))
        else:
            placed.append(_placed(name, node, types))
    return placed


def remove_unused(model: ModelProto) -> None:
    """Remove the nodes whose outputs no output of the model needs: onnxruntime does not run these nodes either."""
    needed, kept = {one.name for one in model.graph.output}, []
    for node in reversed(model.graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(used_names(node))
            kept.append(node)
    _replace_nodes(model, kept[::-1])


def _replace_nodes(model: ModelProto, nodes: Sequence[NodeProto]) -> None:
    graph = GraphProto()
    graph.node.extend(nodes)
    model.graph.ClearField("node")
    model.graph.node.extend(graph.node)


def _unique(name: str, names: set[str]) -> str:
    """The name, or the name with a number if an earlier node has the name."""
    found, number = name, 1
    while found in names:
        number += 1
        found = f"{name}#{number}"
    names.add(found)
    return found


def _placed(name: str, node: NodeProto, types: Mapping[str, TypeProto]) -> Placed:
    if _inner_products(node):
        reason = f"it has products inside: {', '.join(_inner_products(node))}"
    elif not _has_products(node):
        return Placed(name=name, node=node, where="host")
    elif node.domain not in ("", "ai.onnx") or node.op_type not in ON_ENGINE:
        reason = f"no engine computes {node.op_type}"
    else:
        found = _wrong_type(node, types) or _layer(node, [_shape(types.get(tensor)) for tensor in node.input])
        if not isinstance(found, str):
            sizes = found.sizes([_shape(types.get(tensor)) for tensor in node.input])
            return Placed(name=name, node=node, where="engine", layer=found, sizes=sizes)
        reason = found
    return Placed(name=name, node=node, where="refused", reason=reason)


def _has_products(node: NodeProto) -> bool:
    return any(word in node.op_type for word in PRODUCT_WORDS)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _inner_products(node: NodeProto) -> list[str]:
    """Operations with products in the subgraphs of a node."""
    found: dict[str, None] = {}
    for graph in _subgraphs(node):
        for inner in graph.node:
            if _has_products(inner):
                found[inner.op_type] = None
            found.update(dict.fromkeys(_inner_products(inner)))
    return list(found)


def used_names(node: NodeProto) -> list[str]:
    """Tensors that a node reads, with the tensors of the outer graph that its subgraphs read."""
    found = [name for name in node.input if name]
    for graph in _subgraphs(node):
        own = {one.name for one in (*graph.input, *graph.initializer)}
        for inner in graph.node:
            found += [name for name in used_names(inner) if name not in own]
            own.update(inner.output)
        found += [one.name for one in graph.output if one.name not in own]
    return list(dict.fromkeys(found))


def tensor_types(model: ModelProto) -> dict[str, TypeProto]:
    """Types of the tensors of a model, as far as they are known."""
    graph = model.graph
    types = {one.name: one.type for one in (*graph.value_info, *graph.input, *graph.output) if one.HasField("type")}
    for one in graph.initializer:
        types[one.name] = helper.make_tensor_type_proto(one.data_type, list(one.dims))
    return types


def _shape(of: TypeProto | None) -> list[int | None] | None:
    """Shape of a tensor, with None for a size that only the inputs determine; None for an unknown rank."""
    if of is None or not of.HasField("tensor_type") or not of.tensor_type.HasField("shape"):
        return None
    return [one.dim_value if one.dim_value > 0 else None for one in of.tensor_type.shape.dim]


def _wrong_type(node: NodeProto, types: Mapping[str, TypeProto]) -> str:
    """Why the type of an operand is refused; empty for float32."""
    for tensor in (*node.input[:2], *node.output[:1]):
        of = types.get(tensor)
        kind = of.tensor_type.elem_type if of is not None and of.HasField("tensor_type") else 0
        if kind == TensorProto.UNDEFINED:
            return f"the type of tensor {tensor!r} is unknown"
        if kind != TensorProto.FLOAT:
            return f"tensor {tensor!r} must be of float32, not {TensorProto.DataType.Name(kind).lower()}"
    return ""


def _layer(node: NodeProto, shapes: Sequence[Sequence[int | None] | None]) -> Layer | str:
    """The layer of a node, or the reason of a refusal."""
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    match node.op_type:
        case "MatMul":
            return MatMul()
        case "Gemm":
            return Gemm(
                alpha=attributes.get("alpha", 1.0),
                beta=attributes.get("beta", 1.0),
                transposed_a=bool(attributes.get("transA", 0)),
                transposed_b=bool(attributes.get("transB", 0)),
            )
        case "Conv":
            return _convolution(attributes, shapes[1])
    return _recurrent(node, attributes)


def _convolution(attributes: Mapping[str, Any], weights: Sequence[int | None] | None) -> Convolution | str:
    dimensions = len(weights) - 2 if weights else len(attributes.get("kernel_shape", []))
    if dimensions not in (1, 2):
        return f"a convolution must have 1 or 2 dimensions, not {dimensions or 'an unknown number'}"
    padding = attributes.get("auto_pad", b"NOTSET").decode()
    if padding not in PADS:
        return f"auto_pad must be one of {', '.join(PADS)}, not {padding!r}"
    return Convolution(
        dimensions=dimensions,
        strides=tuple(attributes.get("strides", [1] * dimensions)),
        dilations=tuple(attributes.get("dilations", [1] * dimensions)),
        pads=tuple(attributes.get("pads", [0] * 2 * dimensions)),
        auto_pad=padding,
        groups=attributes.get("group", 1),
    )


def _recurrent(node: NodeProto, attributes: Mapping[str, Any]) -> Lstm | Gru | str:
    direction = attributes.get("direction", b"forward").decode()
    if direction not in DIRECTIONS:
        return f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}"
    if len(node.input) > 4 and node.input[4]:
        return "sequences of different lengths, input 4, are not supported"
    if len(node.input) > 7 and node.input[7]:
        return "peepholes, input 7, are not supported"
    usual = DEFAULT_ACTIVATIONS[node.op_type] * len(DIRECTIONS[direction])
    found = [one.decode() for one in attributes.get("activations", [])]
    if found and [one.lower() for one in found] != [one.lower() for one in usual]:
        return f"activations must be {', '.join(usual)}, not {', '.join(found)}"
    for key in ("clip", "input_forget", "layout"):
        if attributes.get(key, 0):
            return f"{key} must be 0, not {attributes[key]:g}"
    hidden = attributes.get("hidden_size", 0)
    if not hidden:
        return "hidden_size is missing"
    if node.op_type == "LSTM":
        return Lstm(direction=direction, hidden=hidden)
    return Gru(direction=direction, hidden=hidden, linear_before_reset=bool(attributes.get("linear_before_reset", 0)))


def weights_of(model: ModelProto) -> dict[str, np.ndarray]:
    """All tensors that the model stores."""
    try:
        return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    except (ValueError, TypeError) as error:
        raise ModelError(f"a stored tensor is damaged: {error}") from None
