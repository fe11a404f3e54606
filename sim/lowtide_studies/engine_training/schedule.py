"""Schedules of precision: the number of chunks of each tensor in each product."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from lowtide.formats.parameter import IllegalValue, parameter, real_number
from lowtide_model import Improvement
from lowtide_model.improvement import LEGAL_THRESHOLDS

__all__ = [
    "HIGH",
    "KINDS",
    "OPERANDS",
    "PRODUCTS",
    "SCHEDULES",
    "Adaptive",
    "Last",
    "LowThenHigh",
    "Moment",
    "Schedule",
    "TwoSided",
    "Use",
    "uses",
]

KINDS = ("weights", "activations", "gradients")
"""Kinds of tensors."""

OPERANDS = {
    "forward": ("activations", "weights"),
    "to_inputs": ("gradients", "weights"),
    "to_weights": ("activations", "gradients"),
}
"""Products of a layer, with the kinds of their operands A and B."""

PRODUCTS = tuple(OPERANDS)


@attrs.frozen
class Use:
    """A tensor of one of `KINDS` in one of the `PRODUCTS` of a layer, from 0. Each use has its own precision."""

    layer: int
    product: str
    kind: str

    @property
    def key(self) -> str:
        """Name in logs, such as ``0.forward.weights``."""
        return f"{self.layer}.{self.product}.{self.kind}"


def uses(layers: int) -> list[Use]:
    """All uses in a step; the gradient with respect to the inputs of the network is not needed."""
    return [
        Use(layer, product, kind)
        for layer in range(layers)
        for product, kinds in OPERANDS.items()
        for kind in kinds
        if layer or product != "to_inputs"
    ]


LOW, HIGH = 1, 2
"""Chunks of the two precisions: 2 and 4 bits with chunks of 2 bits."""


@attrs.frozen(kw_only=True)
class Moment:
    """Time of a use: step, from 0, of a number of steps; and the number of layers of the network."""

    step: int
    steps: int
    layers: int


@attrs.frozen(kw_only=True)
class Last:
    """State of a use in the previous step, which was one of ``held`` consecutive steps with these chunks.

    The engine measures the ratio while it loads the tensor; it is None if the schedule does not measure.
    """

    chunks: int
    ratio: Improvement | None
    held: int


class Schedule(Protocol):
    """Selects the precision of each use from its arguments only."""

    @property
    def measures(self) -> bool:
        """Whether the schedule needs ratios."""
        ...

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """`LOW` or `HIGH`; ``last`` is None in the first step."""
        ...


def within(least: float, most: float, default: float, meaning: str) -> Any:
    """An attrs field for a number within limits."""

    def convert(value: Any, field: attrs.Attribute) -> float:
        return real_number(field.name, value, least, most)

    converter = attrs.Converter(convert, takes_field=True)
    return attrs.field(default=default, converter=converter, metadata={"meaning": meaning})


@attrs.frozen(kw_only=True)
class Fixed:
    """Constant number of chunks."""

    always: int
    measures = False

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        return self.always


@attrs.frozen(kw_only=True)
class LowThenHigh:
    """Low for a share of the steps, then high."""

    share: float = within(0, 1, 0.5, "share of the steps that are low")
    measures = False

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        return LOW if moment.step < self.share * moment.steps else HIGH


@attrs.frozen(kw_only=True)
class Adaptive:
    """FAST-Adaptive: high where ``r > alpha - beta * i / I - beta * l / L``.

    The engine measures the ratio ``r`` while it loads the tensor, for the decision of the next step: the decision lags
    by one step and costs nothing. The first step is high. The threshold is a multiple of 1/256, as in a controller,
    and saturates at the limits of the controller.
    """

    alpha: float = within(0, 3, 0.5, "threshold at the start")
    beta: float = within(0, 3, 0.3, "decrease over all steps, and over all layers")
    measures = True

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        if last is None or last.ratio is None:
            return HIGH
        return HIGH if last.ratio.exceeds(self.threshold(use.layer, moment)) else LOW

    def threshold(self, layer: int, moment: Moment) -> int:
        """``epsilon(l, i)`` in 256ths."""
        return _threshold(self.alpha - self.beta * moment.step / moment.steps - self.beta * layer / moment.layers)


@attrs.frozen(kw_only=True)
class TwoSided:
    """Hysteresis: high above one threshold, low below another, unchanged in between.

    The first step is high. A use keeps its precision for at least ``hold`` steps.
    """

    low: float = within(0, 3, 0.25, "threshold for low")
    high: float = within(0, 3, 0.35, "threshold for high")
    hold: int = parameter(5, range(1, 10**6 + 1), "minimum steps between two changes")
    measures = True

    def __attrs_post_init__(self):
        if self.low > self.high:
            raise IllegalValue("low", f"at most high, {self.high:g}", self.low)

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        if last is None or last.ratio is None:
            return HIGH
        if last.held < self.hold:
            return last.chunks
        if last.ratio.exceeds(_threshold(self.high)):
            return HIGH
        return last.chunks if last.ratio.exceeds(_threshold(self.low)) else LOW


def _threshold(ratio: float) -> int:
    return min(max(round(256 * ratio), 0), LEGAL_THRESHOLDS[-1])


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "fixed-2": lambda: Fixed(always=LOW),
    "fixed-4": lambda: Fixed(always=HIGH),
    "low-then-high": LowThenHigh,
    "adaptive": Adaptive,
    "two-sided": TwoSided,
}
"""Schedules by name."""
