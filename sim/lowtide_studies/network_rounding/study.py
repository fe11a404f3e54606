"""Trainings of networks with each rounding of gradients, from equal seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from lowtide_studies.harness.jobs import Runner
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.network_rounding.trainings import ENGINE_WORDS
from lowtide_studies.network_training.formats import BASELINE
from lowtide_studies.network_training.run import ENGINE_ROUNDING, Run
from lowtide_studies.network_training.study import data_of, trained_of, training_job
from lowtide_studies.network_training.training import Trained
from lowtide_studies.networks.roundings import IDEAL

__all__ = ["CHECKPOINTS", "FORMAT", "Result", "run_study"]

CHECKPOINTS = Path("build/studies/network-rounding")

FORMAT = "fixed-4-2"
"""Weights and activations of 4 bits, to nearest; gradients of 2 bits, with the rounding under study."""


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """Trainings of a network by rounding, seed by seed.

    Parameters
    ----------
    run : Run
        Training of the first rounding and seed.
    data : str
        Title of the data.
    seeds : tuple of int
    outcomes : dict of str to list of Trained
        By rounding; `BASELINE` quantizes nothing.
    """

    run: Run
    data: str
    seeds: tuple[int, ...]
    outcomes: dict[str, list[Trained]]

    def qualities(self, rounding: str) -> list[float]:
        """Accuracy in per cent, or perplexity, on test data."""
        return [one.quality for one in self.outcomes[rounding]]

    def quality(self, rounding: str) -> Summary:
        """Mean of the seeds."""
        return Summary.of(self.qualities(rounding))

    def loss(self, rounding: str) -> Summary:
        """Mean training loss of the last evaluation interval."""
        return Summary.of([one.evaluations[-1].loss if one.evaluations else np.nan for one in self.outcomes[rounding]])

    def difference(self, rounding: str) -> Difference | None:
        """Quality minus the quality of ideal rounding, paired; None without ideal rounding."""
        if IDEAL not in self.outcomes:
            return None
        return Difference.of(self.qualities(rounding), self.qualities(IDEAL))

    def to_json(self) -> list[dict[str, Any]]:
        """Plain values, one row per training."""
        return [
            {"network": self.run.network, "data": self.data, "rounding": rounding, "seed": seed} | attrs.asdict(trained)
            for rounding, outcomes in self.outcomes.items()
            for seed, trained in zip(self.seeds, outcomes, strict=True)
        ]


def run_study(
    trainings: Sequence[tuple[Run, str]],
    roundings: Sequence[str],
    *,
    seeds: Sequence[int],
    runner: Runner | None = None,
    checkpoints: Path = CHECKPOINTS,
) -> list[Result]:
    """Train each network with each rounding and each seed; the source of a training is its images or text."""
    data_of.cache_clear()
    jobs, titles = [], []
    for run, source in trainings:
        data = data_of(run.text, source)
        titles.append(data.title)
        for seed in seeds:
            for rounding in roundings:
                name = f"{run.network}, {rounding}, seed {seed}"
                own = attrs.evolve(run, seed=seed, **_changes(rounding))
                jobs.append(training_job(name, own, source, data, checkpoints))
    results = iter((runner or Runner()).run("Training", jobs))
    found = []
    for (run, _), title in zip(trainings, titles, strict=True):
        outcomes: dict[str, list[Trained]] = {rounding: [] for rounding in roundings}
        for _ in seeds:
            for rounding in roundings:
                outcomes[rounding].append(trained_of(next(results)))
        first = attrs.evolve(run, seed=seeds[0], **_changes(roundings[0]))
        found.append(Result(run=first, data=title, seeds=tuple(seeds), outcomes=outcomes))
    return found


def _changes(rounding: str) -> dict[str, Any]:
    """Format and rounding of a training."""
    if rounding == BASELINE:
        return {"format": BASELINE, "gradients": ENGINE_ROUNDING}
    if rounding in ENGINE_WORDS:
        return {"format": FORMAT, "gradients": ENGINE_ROUNDING, **ENGINE_WORDS[rounding]}
    return {"format": FORMAT, "gradients": rounding}
