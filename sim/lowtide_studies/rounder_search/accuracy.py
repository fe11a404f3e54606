"""Second stage: how well a network trains when its gradients are rounded by a design."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from statistics import mean

import attrs
import numpy as np

from lowtide_model.stochastic import Rounding, Stochastic
from lowtide_studies.rounder_search.design import Design
from lowtide_studies.rounder_search.search import Tried

__all__ = ["CutStochastic", "accuracies", "rounding_of"]

Train = Callable[..., float]
"""``train(rounding, seed=…)`` gives an accuracy: `lowtide_studies.networks.accuracy.final_accuracy`."""


@attrs.frozen(kw_only=True)
class CutStochastic(Stochastic):
    """Stochastic rounding of fractions of which only the first bits come to the rounder.

    Parameters
    ----------
    fraction : int
        Bits of the fraction that a rounder is given, ``D``; the rest is cut off.
    """

    fraction: int

    def __attrs_post_init__(self):
        """Sources may be alike: a short generator has fewer states than a group may have sources."""

    def on(self, groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor, as of `Stochastic`."""
        whole = Stochastic.on(self, groups_in_row, group, inner)

        def rounding(values: np.ndarray, block: slice) -> None:
            np.ldexp(np.trunc(np.ldexp(values, self.fraction)), -self.fraction, out=values)
            whole(values, block)

        return rounding


def rounding_of(design: Design) -> CutStochastic:
    """The rounding of groups of 16 by a design, its sources seeded one after the other."""
    return CutStochastic(mode=design.mode, source=design.sources, fraction=design.fraction)


def accuracies(
    designs: Sequence[Tried],
    train: Train,
    *,
    seeds: Sequence[int],
    pool: Executor,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[int, float]:
    """Mean accuracy over seeds of training, by the trial's number.

    Parameters
    ----------
    designs : sequence of Tried
        Those that the first stage left over.
    train : callable
        Trains, and says how well that went.
    seeds : sequence of int
        Of the first weights and the order of images.
    pool : Executor
        Where it trains.
    progress : callable
        Called with the number of trainings that are done.
    """
    runs = [(tried.number, rounding_of(tried.design), seed) for tried in designs for seed in seeds]
    found: dict[int, list[float]] = {tried.number: [] for tried in designs}
    results = pool.map(partial(_trained, train), runs)
    for done, ((number, _, _), accuracy) in enumerate(zip(runs, results, strict=True), 1):
        found[number].append(accuracy)
        progress(done)
    return {number: mean(values) for number, values in found.items()}


def _trained(train: Train, run: tuple[int, CutStochastic, int]) -> float:
    _, rounding, seed = run
    return train(rounding, seed=seed)
