"""Runs a network: products on an engine or on the host, all else by onnxruntime."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from lowtide_model.engine.panels import MatrixEngine
from lowtide_onnx.errors import InputError, NonFinite, RefusedNode
from lowtide_onnx.operand import Bits, Operand, WrongShape
from lowtide_onnx.placement import Placed
from lowtide_onnx.products import engine_product, host_product, reference_product
from lowtide_onnx.sessions import Values, run_session
from lowtide_onnx.steps import HostPart, inputs_of

__all__ = ["Key", "Run", "Tally", "check_finite", "producers_of", "refused_sum"]

Progress = Callable[[float, int, str], object]
"""Called with the number of finished layers, the number of all layers, and the name of the layer."""

Key = tuple[str, str, int, int, int]
"""Layer, product of the layer, M, K and N."""


@attrs.define
class Tally:
    """Products of one site and size.

    Parameters
    ----------
    count : int
        Number of products.
    signal, noise : float
        Energies of the products in float64, and of their errors.
    """

    count: int = 0
    signal: float = 0.0
    noise: float = 0.0


@attrs.define(kw_only=True, eq=False)
class Run:
    """A run of a network.

    Parameters
    ----------
    engine : MatrixEngine
        Engine of the products.
    bits : mapping of str to (int, int) or None
        Precision of each layer; None for a layer on the host.
    rounding : str
        Rounding of the operands.
    seed : int
        Seed of the random words.
    measure : bool
        Whether to compare the products with products in float64.
    progress : callable
        See `Progress`.
    """

    engine: MatrixEngine
    bits: Mapping[str, Bits | None]
    rounding: str = "nearest"
    seed: int = 0
    measure: bool = False
    progress: Progress = lambda _done, _of, _name: None
    tallies: dict[Key, Tally] = attrs.field(factory=dict)

    def finish(self, steps: Sequence[HostPart | Placed], values: Values) -> Values:
        """Run all steps; the values that the steps need and compute are in one mapping.

        Raises
        ------
        NonFinite
            If an operand of an engine has a NaN or an infinity.
        InputError
            If the shapes of a layer's inputs do not fit together.
        RefusedNode
            If an engine with sums on chip cannot sum all of K.
        """
        layers = sum(isinstance(step, Placed) for step in steps)
        producers = producers_of(steps)
        done = 0
        for step in steps:
            if isinstance(step, HostPart):
                values.update(run_session(step.session, values))
                continue
            outputs = self._layer(step, done, layers, values, producers)
            values.update((name, value) for name, value in zip(step.node.output, outputs, strict=False) if name)
            done += 1
            self.progress(done, layers, step.name)
        return values

    def _layer(
        self, placed: Placed, number: int, layers: int, values: Mapping[str, Any], producers: Mapping[str, str]
    ) -> list[np.ndarray]:
        bits, layer = self.bits[placed.name], placed.layer
        assert layer is not None

        def multiply(site: int, a: Operand, b: Operand) -> np.ndarray:
            if a.x.shape[2] != b.x.shape[1]:
                raise WrongShape(f"matrices of shapes {a.x.shape[1:]} and {b.x.shape[1:]} do not multiply")
            if not a.x.size or not b.x.size:
                return np.zeros((len(a.x), a.x.shape[1], b.x.shape[2]), np.float32)
            if bits is None:
                product = host_product(a, b)
            else:
                for operand in (a, b):
                    check_finite(placed, operand, producers)
                try:
                    product = engine_product(
                        self.engine,
                        a,
                        b,
                        bits,
                        self.rounding,
                        (self.seed, 0, number, site, 0, 0),
                        lambda done, of: self.progress(number + done / of, layers, placed.name),
                    )
                except ValueError as error:
                    raise refused_sum(placed, error) from None
            self._count((placed.name, layer.sites[site], a.x.shape[1], a.x.shape[2], b.x.shape[2]), a, b, product)
            return product

        try:
            return layer.compute(inputs_of(placed, values), multiply)
        except WrongShape as error:
            raise InputError(f"layer {placed.name!r}: {error}") from None

    def _count(self, key: Key, a: Operand, b: Operand, product: np.ndarray) -> None:
        tally = self.tallies.setdefault(key, Tally())
        tally.count += len(a.x)
        if self.measure:
            expected = reference_product(a, b).astype(np.float64)
            tally.signal += float(np.square(expected).sum())
            tally.noise += float(np.square(expected - product).sum())


def producers_of(steps: Sequence[HostPart | Placed]) -> dict[str, str]:
    """Names of the nodes that compute each tensor."""
    return {
        output: one.name
        for step in steps
        for one in ([step] if isinstance(step, Placed) else step.nodes)
        for output in one.node.output
    }


def refused_sum(placed: Placed, error: ValueError) -> RefusedNode:
    """The error of a layer whose sums exceed the engine's."""
    return RefusedNode(
        f"layer {placed.name!r}: {error}; leave the layer to the host by the precision {placed.name}=fp32"
    )


def check_finite(placed: Placed, operand: Operand, producers: Mapping[str, str]) -> None:
    """Refuse an operand of a layer with a NaN or an infinity.

    Raises
    ------
    NonFinite
        The message names the tensor and the node that computed it.
    """
    if math.isfinite(operand.most):
        return
    what = operand.what
    if what.startswith("input "):
        tensor = placed.node.input[int(what.removeprefix("input "))]
        source = f", the output of node {producers[tensor]!r}," if tensor in producers else ""
        what = f"tensor {tensor!r}{source}"
    raise NonFinite(f"layer {placed.name!r}: {what} must be finite, not {operand.most}")
