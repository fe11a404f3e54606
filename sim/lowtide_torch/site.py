"""Sites of products in a module: precision, seeds and measurements of each operand, and the state of a module."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import attrs
import numpy as np
import torch
from torch import Tensor

from lowtide.engine.seeds import operand_seed
from lowtide_model import Improvement
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.improvement import LEGAL_THRESHOLDS
from lowtide_torch.engine import Engine
from lowtide_torch.errors import CheckpointError, MissingController, NonFinite
from lowtide_torch.operand import Operand, Result
from lowtide_torch.settings import TR, FastAdaptive, LowThenHigh, Settings, TwoSided, VariablePrecision

__all__ = ["PRODUCTS", "Call", "LayerState", "Site", "without_autocast"]

Function = TypeVar("Function", bound=Callable[..., Any])

PRODUCTS = ("forward", "to_inputs", "to_weights")
"""Products of a site. In a product of two activations, the last two are the gradients of A and of B."""


@attrs.define(eq=False)
class LayerState:
    """State of a module on an engine.

    Parameters
    ----------
    engine : Engine
        Engine of the products.
    settings : BFP, FastAdaptive, TwoSided, LowThenHigh or TR
        Settings of the module.
    name : str
        Name of the module in its network.
    number, layers : int
        Place of the module among all quantized modules of the network, and their number.
    step, steps : int
        Finished steps and all steps of the training, which a `Controller` counts; 0 of 0 without one.
    calls : dict of str to int
        Training calls of each site.
    measured : dict of str to Improvement
        Last relative improvement of each operand.
    chunks : dict of str to int
        Last precision of each operand.
    unchanged : dict of str to int
        Training calls of each operand since its precision last changed.
    """

    engine: Engine
    settings: Settings
    name: str
    number: int
    layers: int
    step: int = 0
    steps: int = 0
    calls: dict[str, int] = attrs.field(factory=dict)
    measured: dict[str, Improvement] = attrs.field(factory=dict)
    chunks: dict[str, int] = attrs.field(factory=dict)
    unchanged: dict[str, int] = attrs.field(factory=dict)

    def saved(self) -> dict[str, Any]:
        """State for a checkpoint: plain Python values."""
        return {
            "engine": {name: self.engine.config.to_tables()[name] for name in ("array", "bfp", "engine")},
            "settings": repr(self.settings),
            "step": self.step,
            "steps": self.steps,
            "calls": dict(self.calls),
            "measured": {key: (one.low_sum, one.high_sum) for key, one in self.measured.items()},
            "chunks": dict(self.chunks),
            "unchanged": dict(self.unchanged),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Restore the state of a checkpoint.

        Raises
        ------
        CheckpointError
            If the checkpoint has another engine or other settings.
        """
        tables = self.engine.config.to_tables()
        for section, values in saved["engine"].items():
            for key, value in values.items():
                if tables[section].get(key) != value:
                    raise CheckpointError(
                        f"layer {self.name!r}: the checkpoint has an engine with {section}.{key} = {value!r}, not"
                        f" {tables[section].get(key)!r}: quantize the model for an engine of this configuration"
                    )
        if saved["settings"] != repr(self.settings):
            raise CheckpointError(
                f"layer {self.name!r}: the checkpoint has {saved['settings']}, not {self.settings!r}:"
                " quantize the model with these settings"
            )
        self.step, self.steps = saved["step"], saved["steps"]
        self.calls, self.chunks, self.unchanged = (dict(saved[key]) for key in ("calls", "chunks", "unchanged"))
        self.measured = {key: Improvement(low_sum=low, high_sum=high) for key, (low, high) in saved["measured"].items()}

    def threshold(self) -> int:
        """Threshold of `FastAdaptive` in 256ths."""
        settings = self.settings
        assert isinstance(settings, FastAdaptive)
        done = self.step / self.steps if self.steps else 0.0
        return _in_256ths(settings.alpha - settings.beta * done - settings.beta * self.number / self.layers)

    def precision(self, key: str) -> int:
        """Chunks of an operand in its next call; two before the first measurement.

        Raises
        ------
        MissingController
            If the precision depends on the steps, and there is no `Controller`.
        """
        last, settings = self.measured.get(key), self.settings
        if isinstance(settings, LowThenHigh):
            if not self.steps:
                raise MissingController(
                    f"layer {self.name!r}: LowThenHigh needs the steps of the training: create a Controller of the"
                    " network before its first product"
                )
            return 1 if self.step < settings.share * self.steps else 2
        if last is None:
            return 2
        if not isinstance(settings, TwoSided):
            return 2 if last.exceeds(self.threshold()) else 1
        if self.unchanged[key] < settings.hold:
            return self.chunks[key]
        if last.exceeds(_in_256ths(settings.high)):
            return 2
        return self.chunks[key] if last.exceeds(_in_256ths(settings.low)) else 1

    def use(self, key: str, chunks: int) -> None:
        """Record the chunks of an operand in a training call."""
        self.unchanged[key] = 1 + (self.unchanged.get(key, 0) if self.chunks.get(key) == chunks else 0)
        self.chunks[key] = chunks


def _in_256ths(ratio: float) -> int:
    return min(max(round(256 * ratio), 0), LEGAL_THRESHOLDS[-1])


@attrs.frozen(eq=False)
class Call:
    """One call of a site: its number, and whether it is part of the training."""

    number: int
    training: bool


@attrs.frozen(eq=False)
class Site:
    """Place of a product in a module.

    Parameters
    ----------
    state : LayerState
        State of the module.
    name : str
        Name of the site in its module; empty if the module has only one.
    number : int
        Number of the site in its module.
    """

    state: LayerState
    name: str = ""
    number: int = 0

    @property
    def engine(self) -> Engine:
        """Engine of the module."""
        return self.state.engine

    @property
    def reveals(self) -> bool:
        """Whether the site reveals terms."""
        return isinstance(self.state.settings, TR)

    @property
    def layer(self) -> str:
        """Name of the site in errors."""
        return f"{self.state.name}.{self.name}".strip(".") if self.name else self.state.name

    def begin(self, training: bool) -> Call:
        """Start a call. Only training calls are counted, so evaluation does not change the bits of the training."""
        training = training and torch.is_grad_enabled()
        number = self.state.calls.get(self.name, 0)
        if training:
            self.state.calls[self.name] = number + 1
        return Call(number, training)

    def operand(self, call: Call, product: str, side: str, kind: str, x: Tensor, most: float | None = None) -> Operand:
        """Operand of a product with its settings, and its bias from all of its elements."""
        rounded = getattr(self.state.settings, kind)
        bfp = self.engine.config.bfp
        chunk = bfp.chunk_a if side == "a" else bfp.chunk_b
        chunks = rounded.bits // chunk
        if isinstance(self.state.settings, VariablePrecision):
            chunks = self._variable(kind, f"{self._key(product)}.{kind}.{side}", call.training)
        seed = self._seed(call, product, side) if rounded.rounding == "stochastic" else 1
        settings = OperandSettings(chunks=chunks, rounding=rounded.rounding, seed=seed)
        operand = Operand(x=x, settings=settings, what=f"{kind} ({product})", most=most)
        try:
            return self.engine.with_bias(operand, self.layer)
        except NonFinite as error:
            raise NonFinite(f"{error}, in training call {call.number} of this layer") from None

    def check(self, what: str, x: Tensor) -> None:
        """Refuse an operand that is not of float32, or not finite."""
        self.engine.with_bias(Operand(x=x, settings=OperandSettings(), what=what), self.layer)

    def multiply(self, call: Call, product: str, a: Operand, b: Operand) -> Tensor:
        """Product of two operands."""
        result = self.engine.multiply(a, b, layer=self.layer, measure=self.measures(call))
        self.record(call, product, a, b, result)
        return result.values

    def measures(self, call: Call) -> bool:
        """Whether a call measures the relative improvement."""
        return call.training and isinstance(self.state.settings, FastAdaptive | TwoSided)

    def record(self, call: Call, product: str, a: Operand, b: Operand, result: Result) -> None:
        """Keep the measurements of a product for the next call."""
        if not self.measures(call):
            return
        for side, operand, found in (("a", a, result.a_improvement), ("b", b, result.b_improvement)):
            if found is not None:
                self.state.measured[f"{self._key(product)}.{operand.what.partition(' ')[0]}.{side}"] = found

    def _key(self, product: str) -> str:
        return f"{self.name}.{product}" if self.name else product

    def _variable(self, kind: str, key: str, training: bool) -> int:
        settings = self.state.settings
        assert isinstance(settings, VariablePrecision)
        chunks = self.state.precision(key) if kind in settings.kinds else 2
        if training:
            self.state.use(key, chunks)
        return chunks

    def _seed(self, call: Call, product: str, side: str) -> int:
        """Seed of an operand, from seed, rank, layer, site, call and product."""
        rank = torch.distributed.get_rank() if _distributed() else 0
        state = self.state
        entropy = (state.settings.seed, rank, state.number, self.number, call.number, PRODUCTS.index(product))
        word = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])
        return operand_seed(word, side, self.engine.config.engine.lfsr_bits)


def without_autocast(function: Function) -> Function:
    """Decorate a function of an autograd function: autocast would replace the float32 of its products."""

    @functools.wraps(function)
    def wrapped(ctx: Any, first: Tensor, *rest: Any) -> Any:
        with torch.autocast(first.device.type, enabled=False):
            return function(ctx, first, *rest)

    return cast(Function, wrapped)


def _distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
