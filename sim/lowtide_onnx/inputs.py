"""Inputs of a model: names, types, shapes, and random numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from onnx import ModelProto, helper

from lowtide.formats.parameter import whole_number
from lowtide_onnx.errors import InputError, NonFinite

__all__ = ["Port", "checked_inputs", "checked_runs", "ports_of", "random_inputs"]

SIZES = range(1, 2**31)


@attrs.frozen(kw_only=True)
class Port:
    """An input of a model.

    Parameters
    ----------
    name : str
        Name.
    kind : str
        Type of the elements, such as ``float32``; empty if the input is no tensor.
    shape : tuple of (int or str), optional
        Sizes, and the names of the sizes that the user chooses; None for any number of dimensions.
    """

    name: str
    kind: str
    shape: tuple[int | str, ...] | None

    @property
    def text(self) -> str:
        """Name, type and shape."""
        sizes = "any shape" if self.shape is None else " × ".join(map(str, self.shape)) or "one number"
        return f"{self.name}: {self.kind}, {sizes}"


def ports_of(model: ModelProto) -> list[Port]:
    """Inputs of a model."""
    found = []
    for one in model.graph.input:
        tensor = one.type.tensor_type
        known = one.type.HasField("tensor_type")
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type).name if known and tensor.elem_type else ""
        sizes = tuple(size.dim_value if size.dim_value > 0 else size.dim_param or "?" for size in tensor.shape.dim)
        found.append(Port(name=one.name, kind=kind, shape=sizes if tensor.HasField("shape") else None))
    return found


def checked_inputs(ports: Sequence[Port], inputs: Any) -> dict[str, Any]:
    """Inputs by name.

    Parameters
    ----------
    ports : sequence of Port
        Inputs of the model.
    inputs : mapping of str to array, or array
        The inputs; an array for a model with one input.

    Raises
    ------
    InputError
        If a name, type or shape differs.
    NonFinite
        If an input has a NaN.
    """
    if not isinstance(inputs, Mapping):
        if len(ports) != 1:
            raise InputError(f"inputs must be a mapping with {_names(ports)}, not {type(inputs).__name__}")
        inputs = {ports[0].name: inputs}
    known = {port.name for port in ports}
    for name in inputs:
        if name not in known:
            raise InputError(f"unknown input {name!r}; inputs: {_names(ports)}")
    for port in ports:
        if port.name not in inputs:
            raise InputError(f"input {port.name!r} is missing; inputs: {_names(ports)}")
    return {port.name: _checked(port, inputs[port.name]) for port in ports}


def checked_runs(ports: Sequence[Port], inputs: Any, batch: int | None) -> list[dict[str, Any]]:
    """Inputs of runs of at most so many samples, the first dimension of all inputs; without a batch, of one run.

    Raises
    ------
    InputError
        If a name, type or shape differs, or the inputs do not have equally many samples, at least one.
    NonFinite
        If an input has a NaN.
    """
    if batch is None:
        return [checked_inputs(ports, inputs)]
    named = dict(inputs) if isinstance(inputs, Mapping) else {port.name: inputs for port in ports[:1]}
    counts = {np.shape(value)[:1] for value in named.values()}
    if len(counts) != 1 or min(counts) < (1,):
        raise InputError("all inputs must have the same number of samples, at least one")
    (samples,) = counts.pop()
    starts = range(0, samples, whole_number("batch", batch, SIZES))
    return [
        checked_inputs(ports, {name: value[start : start + batch] for name, value in named.items()}) for start in starts
    ]


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(port.name for port in ports)


def _checked(port: Port, value: Any) -> Any:
    if not port.kind:
        return value
    try:
        x = np.asarray(value)
    except (TypeError, ValueError):
        raise InputError(f"input {port.name!r} must be an array of {port.kind}") from None
    if x.dtype.name != port.kind and not (port.kind == "object" and x.dtype.kind in "OUST"):
        raise InputError(f"input {port.name!r} must be of {port.kind}, not {x.dtype}: call astype")
    if port.shape is not None and not _fits(port.shape, x.shape):
        raise InputError(
            f"input {port.name!r} must have the shape {_shape_text(port.shape)}, not {_shape_text(x.shape)}"
        )
    if x.dtype.kind == "f" and np.isnan(x).any():
        index = tuple(int(i) for i in np.argwhere(np.isnan(x))[0])
        raise NonFinite(f"input {port.name!r} must have no NaN, and has one at {index}")
    return x


def _fits(shape: Sequence[int | str], sizes: Sequence[int]) -> bool:
    return len(shape) == len(sizes) and all(
        isinstance(wanted, str) or wanted == size for wanted, size in zip(shape, sizes, strict=True)
    )


def _shape_text(shape: Sequence[int | str]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def random_inputs(
    ports: Sequence[Port], seed: int = 1, shapes: Mapping[str, Sequence[int]] | None = None
) -> dict[str, np.ndarray]:
    """Random inputs: normally distributed numbers, integers 0 and 1, and booleans.

    Parameters
    ----------
    ports : sequence of Port
        Inputs of the model.
    seed : int
        Seed of the numbers.
    shapes : mapping of str to sequence of int, optional
        Shapes of inputs; a size that neither they nor the model determine is 1.

    Raises
    ------
    InputError
        If a shape is of an unknown input, differs from the model's shape, or an input has another type.
    """
    given = dict(shapes or {})
    for name in given:
        if name not in {port.name for port in ports}:
            raise InputError(f"shape of an unknown input {name!r}; inputs: {_names(ports)}")
    rng = np.random.default_rng(whole_number("seed", seed, range(2**32)))
    found = {}
    for port in ports:
        shape = tuple(whole_number(f"shape of {port.name!r}", size, SIZES) for size in given.get(port.name, ()))
        if port.name not in given:
            shape = tuple(1 if isinstance(size, str) else size for size in port.shape or ())
        elif port.shape is not None and not _fits(port.shape, shape):
            raise InputError(
                f"shape of input {port.name!r} must be {_shape_text(port.shape)}, not {_shape_text(shape)}"
            )
        kind = np.dtype(port.kind) if port.kind not in ("", "object") else None
        if kind is None or kind.kind not in "fiub":
            raise InputError(f"input {port.name!r} has no numbers that can be random; give the inputs")
        numbers = rng.standard_normal(shape) if kind.kind == "f" else rng.integers(0, 2, shape)
        found[port.name] = np.asarray(numbers).astype(kind)
    return found
