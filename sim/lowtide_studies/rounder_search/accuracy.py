"""Second stage: accuracy of a network whose gradients a design rounds in training."""

from collections.abc import Callable, Sequence
from statistics import mean

import attrs
import numpy as np

from lowtide_model.rounding import Grouped, Rounding
from lowtide_model.stochastic import Stochastic
from lowtide_studies.harness.jobs import Job, Runner, training_inputs
from lowtide_studies.rounder_search.design import Design
from lowtide_studies.rounder_search.search import Tried

__all__ = ["accuracies", "rounding_of"]

Train = Callable[..., float]
"""``train(rounding, seed=…)`` returns an accuracy: `lowtide_studies.networks.training.final_accuracy`."""


@attrs.frozen(kw_only=True)
class CutStochastic(Stochastic):
    """Stochastic rounding of fractions whose last bits are cut off before the rounder.

    Parameters
    ----------
    fraction : int
        Bits of the fraction at the rounder, ``D``.
    """

    fraction: int

    def __attrs_post_init__(self):
        """Sources may be equal: a short generator has fewer states than a group may have sources."""

    def on(self, tensor: Grouped) -> Rounding:
        """The rounding of a tensor, as in `Stochastic`."""
        whole = Stochastic.on(self, tensor)
        cut = whole.fraction - self.fraction

        def rounding(values: np.ndarray, block: slice) -> np.ndarray:
            return whole.function(np.ldexp(np.trunc(np.ldexp(values, -cut)), cut), block)

        return Rounding(whole.fraction, rounding)


def rounding_of(design: Design) -> CutStochastic:
    """The rounding of groups of 16 by a design, with a seed for each of its sources."""
    return CutStochastic(mode=design.mode, source=design.sources, fraction=design.fraction)


def accuracies(
    designs: Sequence[Tried], train: Train, *, seeds: Sequence[int], runner: Runner | None = None
) -> dict[int, float]:
    """Mean accuracy of training over the seeds, by the number of the trial of each design."""
    inputs = training_inputs("lowtide_studies.rounder_search")
    runs = [(tried, seed) for tried in designs for seed in seeds]
    jobs = [
        Job(
            name=f"{tried.design}, seed {seed}",
            inputs=(*inputs, repr(tried.design), str(seed)),
            function=_trained,
            arguments=(train, tried.design, seed),
        )
        for tried, seed in runs
    ]
    found: dict[int, list[float]] = {tried.number: [] for tried in designs}
    results = (runner or Runner()).run("Training", jobs)
    for (tried, _), accuracy in zip(runs, results, strict=True):
        found[tried.number].append(accuracy)
    return {number: mean(values) for number, values in found.items()}


def _trained(train: Train, design: Design, seed: int) -> float:
    return train(rounding_of(design), seed=seed)
