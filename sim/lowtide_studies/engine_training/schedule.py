"""Schedules of precision: with how many chunks a tensor enters a product."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from lowtide.formats.parameter import IllegalValue, parameter, real_number
from lowtide_model import Improvement
from lowtide_model.improvement import LEGAL_THRESHOLDS
from lowtide_studies.engine_training.tensor_use import Use

__all__ = ["HIGH", "LOW", "SCHEDULES", "Adaptive", "Fixed", "Last", "LowThenHigh", "Moment", "Schedule", "TwoSided"]

LOW, HIGH = 1, 2
"""Chunks of the two precisions: 2 and 4 bits where a chunk has 2."""


@attrs.frozen(kw_only=True)
class Moment:
    """When a tensor is used.

    Parameters
    ----------
    step, steps : int
        Which step of how many, from 0.
    layers : int
        Layers of the network.
    """

    step: int
    steps: int
    layers: int


@attrs.frozen(kw_only=True)
class Last:
    """What a use had in the step before.

    Parameters
    ----------
    chunks : int
    ratio : Improvement, optional
        As the engine measured it while the tensor was loaded; None of a schedule that does not ask.
    held : int
        Steps for which it has had so many chunks.
    """

    chunks: int
    ratio: Improvement | None
    held: int


class Schedule(Protocol):
    """Decides on the precision of every use, by nothing but its arguments."""

    @property
    def measures(self) -> bool:
        """Whether it looks at ratios."""
        ...

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """`LOW` or `HIGH`; ``last`` is None in the first step."""
        ...


def within(least: float, most: float, default: float, meaning: str) -> Any:
    """An attrs field that is a number within limits."""

    def convert(value: Any, field: attrs.Attribute) -> float:
        return real_number(field.name, value, least, most)

    converter = attrs.Converter(convert, takes_field=True)
    return attrs.field(default=default, converter=converter, metadata={"meaning": meaning})


@attrs.frozen(kw_only=True)
class Fixed:
    """Always the same.

    Parameters
    ----------
    always : int
        Chunks.
    """

    always: int
    measures = False

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """What is always."""
        return self.always


@attrs.frozen(kw_only=True)
class LowThenHigh:
    """Low up to a share of the steps, and high from then on.

    Parameters
    ----------
    share : float
        Of the steps, from 0 to 1.
    """

    share: float = within(0, 1, 0.5, "share of the steps that are low")
    measures = False

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """By the step alone."""
        return LOW if moment.step < self.share * moment.steps else HIGH


@attrs.frozen(kw_only=True)
class Adaptive:
    """FAST-Adaptive: high where ``r > alpha - beta * i / I - beta * l / L``.

    The ratio ``r`` is that of the step before, which the engine measured while it loaded the tensor: a decision lags
    by a step and costs nothing. The first step is high. The threshold is compared in 256ths, as a controller compares
    it, and held within what one has.

    Parameters
    ----------
    alpha : float
        Threshold at the first step in the first layer, from 0 to 3.
    beta : float
        What it falls by over all steps, and over all layers, from 0 to 3.
    """

    alpha: float = within(0, 3, 0.5, "threshold at the start")
    beta: float = within(0, 3, 0.3, "what it falls by over all steps, and over all layers")
    measures = True

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """By the ratio of the step before."""
        if last is None or last.ratio is None:
            return HIGH
        return HIGH if last.ratio.exceeds(self.threshold(use.layer, moment)) else LOW

    def threshold(self, layer: int, moment: Moment) -> int:
        """``epsilon(l, i)`` in 256ths."""
        epsilon = self.alpha - self.beta * moment.step / moment.steps - self.beta * layer / moment.layers
        return _threshold(epsilon)


@attrs.frozen(kw_only=True)
class TwoSided:
    """High once the ratio is above one threshold, low once it is below another, and in between as it was.

    The first step is high. Between two changes of a use are at least ``hold`` steps.

    Parameters
    ----------
    low, high : float
        Thresholds, from 0 to 3, ``low`` not above ``high``.
    hold : int
        Steps from 1 to 1000000.
    """

    low: float = within(0, 3, 0.25, "threshold below which it gets low")
    high: float = within(0, 3, 0.35, "threshold above which it gets high")
    hold: int = parameter(5, range(1, 10**6 + 1), "least steps between two changes")
    measures = True

    def __attrs_post_init__(self):
        if self.low > self.high:
            raise IllegalValue("low", f"at most high, {self.high:g}", self.low)

    def chunks(self, use: Use, moment: Moment, last: Last | None) -> int:
        """By the ratio of the step before, and by what was."""
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
"""What makes schedules, by their names."""
