"""Networks of PyTorch whose layers multiply integers, and the terms that these integers keep."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide.formats.terms import ENCODINGS
from lowtide_model.quotient import nearest_quotient
from lowtide_model.terms import IntegerTensor, digits_of, quantize_integers, receding_water, top_terms, value_of
from lowtide_studies.term_revealing.revealed import Setting, mean_bound, mean_pairs

__all__ = ["Counts", "IntegerNetwork"]

EXACT = 2**24
"""Every sum up to this magnitude is exact in float32."""

NEAR = 0.4999
"""A quotient in float32 with a larger distance from its integer may round to another integer than the exact one."""


@attrs.define(eq=False)
class Counts:
    """Counts of a layer in an evaluation.

    Parameters
    ----------
    data : dict of str to Tensor of float64, shape (K,)
        By encoding: terms of the data at each place of the reduction, summed over rows.
    rows : int
        Rows of the data.
    """

    data: dict[str, Tensor]
    rows: int = 0


class LayerIntegers:
    """Integers of a layer: its weights, the scale of its data, and the terms that both keep.

    Parameters
    ----------
    vectors : callable
        Weights of the layer as vectors (outputs, K), with the channels of a place next to each other.
    shaped : callable
        Inverse of ``vectors``.
    """

    def __init__(self, vectors: Callable[[], Tensor], shaped: Callable[[Tensor], Tensor]):
        self._vectors, self._shaped = vectors, shaped
        self.width, self.data_scale = 8, 1.0
        self.setting: Setting | None = None
        self.counts: Counts | None = None
        self.largest = 0.0
        self.measures = False
        self._digits: dict[str, np.ndarray] = {}
        self._tables: dict[str, np.ndarray] = {}

    @property
    def length(self) -> int:
        """Length of the reduction."""
        return self.weights.integers.shape[1]

    @property
    def outputs(self) -> int:
        """Outputs per row."""
        return self.weights.integers.shape[0]

    def quantize(self, width: int) -> None:
        """Quantize the weights, and derive the scale of the data from their largest measured magnitude."""
        self.width, self._digits = width, {}
        self.data_scale = float(quantize_integers(np.array([self.largest]), width).scale.item())
        self.weights: IntegerTensor = quantize_integers(self._vectors().detach().numpy(), width)
        exact = self.length << 2 * (width - 1) <= EXACT
        self.dtype = torch.float32 if exact else torch.float64
        self._tables = {encoding: digits_of(self.integers, width, encoding) for encoding in ENCODINGS}
        self.keep(None)

    @property
    def integers(self) -> np.ndarray:
        """All integers, in the order of tables."""
        return np.arange(-(1 << self.width - 1), 1 << self.width - 1)

    def keep(self, setting: Setting | None) -> None:
        """Keep the terms of a setting, or all of them."""
        integers, table, self.setting = self.weights.integers, self.integers, setting
        if setting is not None:
            encoding = setting.encoding
            integers = value_of(receding_water(self.weight_digits(encoding), setting.budget, setting.group))
            table = value_of(top_terms(self._tables[encoding], setting.data_terms))
        self.kept_weights = self._shaped(torch.from_numpy(integers)).to(self.dtype).contiguous()
        self.table = None if setting is None else torch.from_numpy(table).to(self.dtype)

    def weight_digits(self, encoding: str) -> np.ndarray:
        """All digits of the weights."""
        if encoding not in self._digits:
            self._digits[encoding] = digits_of(self.weights.integers, self.width, encoding)
        return self._digits[encoding]

    def kept_data(self, x: Tensor) -> Tensor:
        """The integers of the data, with the terms that they keep."""
        quotients = x * (1 / self.data_scale)
        rounded = quotients.round()
        near = quotients.sub_(rounded).abs_().gt_(NEAR).nonzero(as_tuple=True)
        if near[0].numel():
            exact = nearest_quotient(x[near].detach().numpy().astype(np.float64), self.data_scale)
            rounded[near] = torch.from_numpy(exact).float()
        half = 1 << self.width - 1
        integers = rounded.clamp_(1 - half, half - 1)
        if self.table is None and self.counts is None:
            return integers.to(self.dtype)
        places = integers.to(torch.int64).add_(half)
        if self.counts is not None:
            self.places = places
        return integers.to(self.dtype) if self.table is None else self.table.take(places)

    def scaled(self, sums: Tensor) -> Tensor:
        """Sums of integers times both scales, in float64, rounded to FP32."""
        return sums.double().mul_(self.data_scale * float(self.weights.scale.item())).float()

    def data_terms(self, encoding: str) -> Tensor:
        """Terms that each integer of the data keeps, in the order of tables."""
        digits, setting = self._tables[encoding], self.setting
        digits = digits if setting is None else top_terms(digits, setting.data_terms)
        return torch.from_numpy(np.count_nonzero(digits, axis=-1)).double()

    def count(self, unfold: Callable[[Tensor], Tensor]) -> None:
        """Count the terms of the last data; ``unfold`` makes rows (rows, K) of data of one sample."""
        assert self.counts is not None
        for encoding in self.counts.data:
            # Summed over samples first: windows of sums are sums of windows.
            terms = self.data_terms(encoding).take(self.places).sum(0, keepdim=True)
            self.counts.data[encoding] += unfold(terms).sum(0)
        self.counts.rows += len(self.places) * len(unfold(self.places[:1].double()))

    def weight_terms(self, encoding: str) -> np.ndarray:
        """Terms of the weights at each place of the reduction, summed over outputs."""
        digits, setting = self.weight_digits(encoding), self.setting
        digits = digits if setting is None else receding_water(digits, setting.budget, setting.group)
        return np.count_nonzero(digits, axis=-1).sum(axis=0)


class _Passed(torch.autograd.Function):
    """The first argument; its gradient is the gradient of the second."""

    @staticmethod
    def forward(ctx: Any, exact: Tensor, plain: Tensor) -> Tensor:
        return exact.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return None, gradient


def _product(layer: LayerIntegers, x: Tensor, plain: Callable[[], Tensor], integer: Callable[[Tensor], Tensor]):
    """The product of integers; gradients pass as if nothing were rounded."""
    if layer.measures:
        layer.largest = max(layer.largest, float(x.abs().max()))
        return plain()
    with torch.no_grad():
        exact = layer.scaled(integer(layer.kept_data(x)))
    return _Passed.apply(exact, plain()) if torch.is_grad_enabled() else exact


class IntegerLinear(nn.Linear):
    """`torch.nn.Linear` on integers; the bias is FP32."""

    integers: LayerIntegers

    def take_integers(self) -> LayerIntegers:
        """Integers of this layer."""
        return LayerIntegers(lambda: self.weight, lambda vectors: vectors)

    def forward(self, input: Tensor) -> Tensor:
        own = self.integers
        y = _product(
            own,
            input,
            lambda: functional.linear(input, self.weight),
            lambda data: functional.linear(data, own.kept_weights),
        )
        if own.counts is not None:
            own.count(lambda data: data.flatten(0, -2))
        return y if self.bias is None else y + self.bias


class IntegerConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` of one group of channels on integers; the bias is FP32."""

    integers: LayerIntegers

    def take_integers(self) -> LayerIntegers:
        """Integers of this layer, in the order of kernel rows, kernel columns and channels."""
        outputs, channels, down, across = self.weight.shape

        def shaped(vectors: Tensor) -> Tensor:
            return vectors.reshape(outputs, down, across, channels).permute(0, 3, 1, 2)

        return LayerIntegers(lambda: self.weight.permute(0, 2, 3, 1).flatten(1), shaped)

    def forward(self, input: Tensor) -> Tensor:
        own = self.integers
        y = _product(
            own,
            input,
            lambda: self._conv_forward(input, self.weight, None),
            lambda data: self._conv_forward(data, own.kept_weights, None),
        )
        if own.counts is not None:
            own.count(self._rows)
        return y if self.bias is None else y + self.bias[:, None, None]

    def _rows(self, data: Tensor) -> Tensor:
        """Windows of images, in the order of `take_integers`."""
        assert not isinstance(self.padding, str)
        windows = functional.unfold(data, self.kernel_size, self.dilation, self.padding, self.stride)  # type: ignore
        rows = windows.transpose(1, 2).flatten(0, 1)
        return rows.unflatten(1, (self.in_channels, -1)).transpose(1, 2).flatten(1)


ON_INTEGERS: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: IntegerLinear, nn.Conv2d: IntegerConv2d}


class IntegerNetwork:
    """A trained network whose linear layers and convolutions multiply integers; it is changed in place.

    Data and weights have one scale per layer. The host computes everything else in FP32, also products of activations.

    Parameters
    ----------
    network : torch.nn.Module
        Network of linear layers and convolutions.
    inputs : iterable of Tensor
        Batches whose largest magnitude at each layer, in FP32, determines the scale of its data.
    width : int
        Bits per integer, in two's complement.
    """

    def __init__(self, network: nn.Module, inputs: Iterable[Tensor], width: int = 8):
        self.network, self.layers = network, list[LayerIntegers]()
        for module in network.modules():
            if type(module) in ON_INTEGERS:
                module.__class__ = ON_INTEGERS[type(module)]
                layer = module.take_integers()  # type: ignore[operator]
                object.__setattr__(module, "integers", layer)
                self.layers.append(layer)
        network.eval()
        self._set(measures=True)
        with torch.no_grad():
            for batch in inputs:
                network(batch)
        self._set(measures=False)
        self.quantize(width)

    def quantize(self, width: int) -> None:
        """Quantize all layers to integers of a width; all terms are kept."""
        for layer in self.layers:
            layer.quantize(width)

    def keep(self, setting: Setting | None) -> None:
        """Keep the terms of a setting in all layers, or all terms."""
        for layer in self.layers:
            layer.keep(setting)

    def present(self, inputs: Tensor, encodings: Iterable[str]) -> dict[str, float]:
        """Mean pairs of nonzero terms per product of a batch, by encoding, with the kept terms."""
        with self._counting(encodings):
            for batch in inputs.split(64):
                self.network(batch)
            return {
                encoding: mean_pairs(
                    (layer.counts.data[encoding].numpy(), layer.weight_terms(encoding), products)
                    for layer, products in self._products()
                    if layer.counts is not None
                )
                for encoding in encodings
            }

    def at_most(self, inputs: Tensor, setting: Setting) -> float:
        """Upper bound of pairs per product with short groups."""
        with self._counting(()):
            self.network(inputs)
            return mean_bound(((layer.length, products) for layer, products in self._products()), setting)

    def shapes(self, inputs: Tensor) -> list[tuple[int, int, int]]:
        """M, K and N of the product of each layer for a batch."""
        with self._counting(()):
            self.network(inputs)
            return [(layer.counts.rows, layer.length, layer.outputs) for layer in self.layers if layer.counts]

    def _products(self) -> Iterator[tuple[LayerIntegers, int]]:
        for layer in self.layers:
            assert layer.counts is not None
            yield layer, layer.counts.rows * layer.length * layer.outputs

    @contextmanager
    def _counting(self, encodings: Iterable[str]) -> Iterator[None]:
        for layer in self.layers:
            zeros = {encoding: torch.zeros(layer.length, dtype=torch.float64) for encoding in encodings}
            layer.counts = Counts(data=zeros)
        try:
            with torch.no_grad():
                yield
        finally:
            for layer in self.layers:
                layer.counts = None

    def _set(self, *, measures: bool) -> None:
        for layer in self.layers:
            layer.measures = measures
