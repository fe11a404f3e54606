"""Tunes the stored weights of layers for few bits: layer by layer, without labels."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_model import default_bias, quantize
from lowtide_model.bfp_tensor import scaled
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_onnx.convolution import Convolution
from lowtide_onnx.errors import InputError
from lowtide_onnx.least_squares import Fit
from lowtide_onnx.matmul import Gemm, MatMul
from lowtide_onnx.operand import Bits, Multiply, Operand, WrongShape
from lowtide_onnx.placement import Placed, used_names
from lowtide_onnx.products import engine_product, host_product
from lowtide_onnx.run import check_finite, producers_of, refused_sum
from lowtide_onnx.sessions import Values, run_session
from lowtide_onnx.steps import HostPart, inputs_of

__all__ = ["MOST_K", "tunable_layers", "tune_weights"]

MOST_K = 4096
"""Longest products whose weights are tuned: least squares need K * K numbers."""


def tune_weights(
    config: Config,
    steps: Sequence[HostPart | Placed],
    stored: Mapping[str, Any],
    batches: Sequence[Mapping[str, Any]],
    bits: Mapping[str, Bits | None],
    progress: Callable[[float, int, str], object],
) -> Values:
    """Stored weights that bring the products of few bits near to the products in FP32.

    The network runs in FP32 and, at the same time, with the engine's products. Each layer in turn gets the weights
    whose products of the second run's activations, rounded to the layer's bits, are nearest to the products of the
    first run. So a layer also corrects errors of the layers before it. The second run continues with the new weights. A
    stored bias is fitted too, if it has one number per column.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    steps : sequence of HostPart or Placed
        Parts and layers of the network.
    stored : mapping of str to array
        Stored tensors that layers read.
    batches : sequence of mapping of str to array
        Inputs of each run.
    bits : mapping of str to (int, int) or None
        Precision of each layer; None for a layer on the host, whose weights stay.
    progress : callable
        Called with the number of finished layers, the number of all layers, and the name of the layer.

    Returns
    -------
    dict of str to array
        The new tensors: weights of ``Conv``, ``Gemm`` and ``MatMul`` that are stored as B of at most ``MOST_K`` rows,
        and that no other node reads; and biases.
    """
    alone = _read_once(steps, stored)
    last = {name: number for number, step in enumerate(steps) for name in _reads(step)}
    exact, low = ([{**stored, **batch} for batch in batches] for _ in range(2))
    layers = [step.name for step in steps if isinstance(step, Placed)]
    engine, producers = GoldenEngine(config), producers_of(steps)
    new: Values = {}
    for number, step in enumerate(steps):
        if isinstance(step, HostPart):
            for values in (*exact, *low):
                values.update(run_session(step.session, values))
        else:
            its = bits[step.name]
            products = [_compute(step, values, _product(None, step, its, producers)) for values in exact]
            tuned = None if its is None else _Tuned.of(step, alone)
            if its is not None and tuned is not None and sum(map(np.size, products)):
                found = tuned.fitted(config, its, low, products, producers)
                for values in (new, *low):
                    values.update(found)
            for values in low:
                _compute(step, values, _product(engine, step, its, producers))
            progress(layers.index(step.name) + 1, len(layers), step.name)
        for values in (*exact, *low):
            for name in [name for name in values if last.get(name, -1) <= number]:
                del values[name]
    return new


def tunable_layers(steps: Sequence[HostPart | Placed], stored: Mapping[str, Any]) -> list[str]:
    """Names of the layers whose weights `tune_weights` changes, if they have bits."""
    alone = _read_once(steps, stored)
    return [step.name for step in steps if isinstance(step, Placed) and _Tuned.of(step, alone) is not None]


def _read_once(steps: Sequence[HostPart | Placed], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored tensors that a single node reads."""
    readers = Counter(name for step in steps for name in _reads(step))
    return {name: value for name, value in stored.items() if readers[name] == 1}


def _reads(step: HostPart | Placed) -> list[str]:
    """Tensors that the nodes of a step read, once per node."""
    return [name for one in ([step] if isinstance(step, Placed) else step.nodes) for name in used_names(one.node)]


def _compute(step: Placed, values: Values, multiply: Multiply) -> np.ndarray:
    """Add the outputs of a layer to the values of a run, and return its first product."""
    products: list[np.ndarray] = []

    def kept(site: int, a: Operand, b: Operand) -> np.ndarray:
        product = multiply(site, a, b)
        if not products:
            products.append(product)
        return product

    assert step.layer is not None
    try:
        outputs = step.layer.compute(inputs_of(step, values), kept)
    except WrongShape as error:
        raise InputError(f"layer {step.name!r}: {error}") from None
    values.update((name, value) for name, value in zip(step.node.output, outputs, strict=False) if name)
    return products[0]


def _product(engine: GoldenEngine | None, step: Placed, bits: Bits | None, producers: Mapping[str, str]) -> Multiply:
    """Products of a layer on an engine, rounded to nearest; without an engine or bits, in FP32."""

    def multiply(_site: int, a: Operand, b: Operand) -> np.ndarray:
        if bits is not None:
            for operand in (a, b):
                check_finite(step, operand, producers)
        if engine is None or bits is None or not a.x.size or not b.x.size:
            return host_product(a, b)
        try:
            return engine_product(engine, a, b, bits, "nearest", (0,) * 6, lambda _done, _of: None)
        except ValueError as error:
            raise refused_sum(step, error) from None

    return multiply


@attrs.frozen(kw_only=True)
class _Tuned:
    """A layer whose weights are tuned.

    Parameters
    ----------
    step : Placed
        Its node.
    layer : Convolution, Gemm or MatMul
        The layer.
    weights : array
        Stored weights.
    bias : array, optional
        Stored bias, one number per column.
    """

    step: Placed
    layer: Convolution | Gemm | MatMul
    weights: np.ndarray
    bias: np.ndarray | None

    @classmethod
    def of(cls, step: Placed, stored: Mapping[str, np.ndarray]) -> "_Tuned | None":
        """A layer with these stored tensors, which nothing else reads; None if its weights are not tuned."""
        layer, (_, name, *others) = step.layer, step.node.input
        if not isinstance(layer, Convolution | Gemm | MatMul) or name not in stored:
            return None
        weights = stored[name]
        columns = layer.columns(weights.shape)
        if not columns or not 1 <= weights.size // columns <= MOST_K:
            return None
        bias = stored.get(others[0]) if others and layer.adds_bias else None
        fits = bias is not None and bias.shape in ((columns,), (1, columns))
        return cls(step=step, layer=layer, weights=weights, bias=bias if fits else None)

    def fitted(
        self,
        config: Config,
        bits: Bits,
        low: Sequence[Values],
        products: Sequence[np.ndarray],
        producers: Mapping[str, str],
    ) -> Values:
        """The new tensors, from the values of the runs with few bits, and the products of the runs in FP32."""
        fit = Fit(with_bias=self.bias is not None)
        for values, product in zip(low, products, strict=True):
            fit.add(self._rows(config, values, bits[0], producers), product)
        old = self.layer.matrices(self.weights)
        new = fit.weights(old.astype(np.float64), config.bfp, bits[1])
        _, name, *others = self.step.node.input
        found = {name: self.layer.stored(new.astype(np.float32), self.weights.shape)}
        if self.bias is not None:
            bias = self.bias + fit.bias(new).reshape(self.bias.shape)
            found[others[0]] = bias.astype(np.float32)
        return found

    def _rows(self, config: Config, values: Values, bits: int, producers: Mapping[str, str]) -> np.ndarray:
        """Rows of A of a run, rounded to nearest: float32, shape (matrices, M, K)."""
        operands: list[Operand] = []

        def kept(_site: int, a: Operand, b: Operand) -> np.ndarray:
            operands.append(a)
            return np.zeros((len(a.x), a.x.shape[1], b.x.shape[2]), np.float32)

        self.layer.compute(inputs_of(self.step, values), kept)
        (a,) = operands
        check_finite(self.step, a, producers)
        bfp = config.bfp
        bias = default_bias(np.array([a.most], np.float32), exponent=bfp.exponent)
        rounded = quantize(a.x, mantissa=bits, exponent=bfp.exponent, group=bfp.lanes, bias=bias)
        steps = np.ldexp(np.float32(1), rounded.codes.astype(np.int32) + (bias - (bits - 1)))
        return scaled(rounded, steps)[..., : rounded.length]
