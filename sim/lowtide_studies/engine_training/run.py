"""Training run: all parameters that determine its bits."""

import hashlib
import inspect
import json
import math
from importlib.metadata import version
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, legal_text, parameter
from lowtide_studies.engine_training.products import BASELINES
from lowtide_studies.engine_training.schedule import SCHEDULES, Schedule
from lowtide_studies.networks.network import NETWORKS

__all__ = ["PRECISIONS", "Run"]

PRECISIONS = (*SCHEDULES, *BASELINES)
"""Names of schedules and of baselines."""

# Keys that do not change the bits: the order of transfers, and other kinds of elements.
NO_PART = (
    *("engine.input_width", "engine.output_width"),
    *("array.element", "array.operands", "array.results", "array.skew", "array.block_rows", "array.block_columns"),
)


def _above_zero(least: float, most: float, default: float) -> Any:
    def check(_instance: Any, attribute: attrs.Attribute, value: Any) -> None:
        if isinstance(value, bool | str) or not least < value < most:
            raise IllegalValue(attribute.name, f"above {least:g} and below {most:g}", value)

    return attrs.field(default=default, validator=check)


@attrs.frozen(kw_only=True)
class Run:
    """A network, a schedule of precision with its options, an engine, and the steps of a training.

    The rate falls to zero along half a cosine. The seed determines the first weights, the order of images, and the
    rounding of gradients. For the choice of parameters, ``validation`` measures the accuracy on the last 287 training
    images, which are then excluded from training, and not on the held-out images. An illegal parameter raises
    `IllegalValue`.
    """

    network: str = parameter("perceptron", tuple(NETWORKS), "network")
    schedule: str = parameter("adaptive", PRECISIONS, "schedule")
    options: dict[str, Any] = attrs.field(factory=dict)
    config: Config = attrs.field(factory=Config)
    steps: int = parameter(360, range(1, 10**6 + 1), "steps")
    batch: int = parameter(32, range(1, 1151), "images of a step")
    rate: float = _above_zero(0, 100, 0.2)
    momentum: float = _above_zero(-1e-9, 1, 0.9)
    seed: int = parameter(0, range(2**32), "seed")
    evaluate: int = parameter(45, range(1, 10**6 + 1), "steps between two evaluations")
    validation: bool = False

    def __attrs_post_init__(self):
        if self.schedule in SCHEDULES:
            self.make_schedule()
        else:
            self._check_options([])

    def make_schedule(self) -> Schedule:
        """The schedule of a run that is not a baseline."""
        make = SCHEDULES[self.schedule]
        known = list(inspect.signature(make).parameters)
        self._check_options(known)
        try:
            schedule: Schedule = make(**self.options)
        except IllegalValue as error:
            raise error.within("schedule") from None
        return schedule

    def _check_options(self, known: list[str]) -> None:
        for key, value in self.options.items():
            if not known:
                raise IllegalValue(f"schedule.{key}", f"left out, as {self.schedule} has no parameters", value)
            if key not in known:
                raise IllegalValue("a key of schedule", legal_text(known), key)
            if isinstance(value, str):
                raise IllegalValue(f"schedule.{key}", "a number", value)

    def rate_of(self, step: int) -> float:
        """Learning rate of a step."""
        return self.rate * (1 + math.cos(math.pi * step / self.steps)) / 2

    def identity(self) -> dict[str, Any]:
        """All values that determine the bits, by dotted keys; the kind of engine does not."""
        known = {name: value for name, value in attrs.asdict(self, recurse=False).items() if name != "config"}
        known |= {f"schedule.{key}": value for key, value in sorted(known.pop("options").items())}
        tables = self.config.to_tables()
        for section in ("array", "bfp", "engine"):
            known |= {f"{section}.{key}": value for key, value in tables[section].items()}
        known |= {name: version(name) for name in ("lowtide", "numpy", "scikit-learn")}
        return {key: value for key, value in known.items() if key not in NO_PART}

    @property
    def digest(self) -> str:
        """Short hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:8]
