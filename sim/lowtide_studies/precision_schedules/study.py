"""Comparison of schedules of precision and baselines, from the same seeds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.schedule import HIGH
from lowtide_studies.engine_training.trainer import train
from lowtide_studies.harness.jobs import Job, Runner, training_inputs
from lowtide_studies.harness.statistics import Difference, Summary

__all__ = ["BASELINE", "COMPARED", "QUICK_SEEDS", "QUICK_STEPS", "SEEDS", "USUAL", "Comparison", "Outcome", "compare"]

BASELINE = "fp32"
COMPARED = (BASELINE, "fixed-4", "adaptive", "two-sided", "low-then-high", "fixed-2", "int8", "msfp12")

SEEDS, USUAL = 20, Run(steps=720, rate=0.2, evaluate=9)
QUICK_SEEDS, QUICK_STEPS = 2, 45

PRESENTATION = ("command", "log", "report")
"""Modules of `lowtide_studies.engine_training` on which no run depends."""


@attrs.frozen(kw_only=True)
class Outcome:
    """Summary of a run: the values of `Trained`, and pairs of groups, beats, and chunks of each use, step by step."""

    accuracy: float
    loss: float
    sha256: str
    accuracies: list[list[float]]
    pairs: list[int]
    beats: list[int]
    chunks: dict[str, list[int]]

    @classmethod
    def of(cls, run: Run) -> "Outcome":
        """Train on the golden engine."""
        trained = train(run)
        return cls(
            accuracy=trained.accuracy,
            loss=trained.loss,
            sha256=trained.sha256,
            accuracies=trained.accuracies,
            pairs=[step.pairs for step in trained.steps],
            beats=[step.beats for step in trained.steps],
            chunks={key: [step.chunks[key] for step in trained.steps] for key in trained.steps[0].chunks},
        )

    def steps_to(self, accuracy: float) -> int | None:
        """Steps after which an evaluation first reached an accuracy; None if no evaluation did."""
        return next((int(steps) for steps, seen in self.accuracies if seen >= accuracy), None)

    def beats_to(self, accuracy: float) -> int | None:
        """Pairs of chunks until an accuracy was first reached; None if it was not, or without an engine."""
        steps = self.steps_to(accuracy)
        return None if steps is None or not any(self.beats) else sum(self.beats[:steps])

    @property
    def beats_per_pair(self) -> float:
        """Pairs of chunks per pair of groups, over all steps; NaN for a baseline."""
        return sum(self.beats) / sum(self.pairs) if any(self.pairs) else float("nan")

    def high(self, kind: str) -> float:
        """Share of the uses of a kind of tensor that had two chunks; NaN for a baseline."""
        found = [chunks == HIGH for key, held in self.chunks.items() if key.endswith(kind) for chunks in held]
        return float(np.mean(found)) if found else float("nan")


@attrs.frozen(kw_only=True, eq=False)
class Comparison:
    """Outcomes by schedule, seed by seed, and their comparison with FP32; the runs have the first seed."""

    runs: dict[str, Run]
    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]

    def accuracies(self, schedule: str) -> list[float]:
        """Accuracy in per cent, seed by seed."""
        return [100 * outcome.accuracy for outcome in self.outcomes[schedule]]

    def accuracy(self, schedule: str) -> Summary:
        return Summary.of(self.accuracies(schedule))

    def difference(self, schedule: str) -> Difference | None:
        """Accuracy minus the accuracy of FP32, in points; None without FP32."""
        if BASELINE not in self.outcomes:
            return None
        return Difference.of(self.accuracies(schedule), self.accuracies(BASELINE))

    def reached(self, schedule: str, what: Callable[[Outcome], int | None]) -> tuple[float, float, int]:
        """Mean steps or beats over the seeds that reach an accuracy, its standard error, and the number of seeds."""
        known = [value for value in map(what, self.outcomes[schedule]) if value is not None]
        if not known:
            return float("nan"), float("nan"), 0
        summary = Summary.of(known)
        return summary.mean, summary.error, len(known)

    def to_json(self) -> dict[str, Any]:
        """Plain values of everything."""
        return {
            "settings": {
                "seeds": list(self.seeds),
                "runs": {schedule: run.identity() for schedule, run in self.runs.items()},
            },
            "rows": [
                {"schedule": schedule, "seed": seed, **attrs.asdict(outcome)}
                for schedule, outcomes in self.outcomes.items()
                for seed, outcome in zip(self.seeds, outcomes, strict=True)
            ],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Comparison":
        """The comparison that `to_json` gave."""
        settings, outcomes = plain["settings"], {}
        for row in plain["rows"]:
            values = {key: value for key, value in row.items() if key not in ("schedule", "seed")}
            outcomes.setdefault(row["schedule"], []).append(Outcome(**values))
        return cls(
            runs={schedule: _run(identity) for schedule, identity in settings["runs"].items()},
            seeds=tuple(settings["seeds"]),
            outcomes=outcomes,
        )


def _run(identity: Mapping[str, Any]) -> Run:
    """The run of an identity; parameters that do not change its bits have their defaults."""
    own = {field.name for field in attrs.fields(Run)} - {"options", "config"}
    options = {key.removeprefix("schedule."): value for key, value in identity.items() if key.startswith("schedule.")}
    config = {key: value for key, value in identity.items() if key.split(".")[0] in ("array", "bfp", "engine")}
    return Run(
        **{key: value for key, value in identity.items() if key in own},
        options=options,
        config=Config().changed(config),
    )


def compare(runs: dict[str, Run], seeds: Sequence[int], runner: Runner | None = None) -> Comparison:
    """Train by every schedule from every seed, on the golden engine; the seeds of ``runs`` do not matter."""
    inputs = training_inputs("lowtide_studies.engine_training", excluded=PRESENTATION)
    names = [(name, seed) for seed in seeds for name in runs]
    jobs = []
    for name, seed in names:
        run = attrs.evolve(runs[name], seed=seed)
        inputs_of_run = (*inputs, repr(sorted(run.identity().items())))
        jobs.append(Job(name=f"{name}, seed {seed}", inputs=inputs_of_run, function=_outcome, arguments=(run,)))
    results = (runner or Runner()).run("Training", jobs)
    found = {name: Outcome(**result) for name, result in zip(names, results, strict=True)}
    return Comparison(
        runs={name: attrs.evolve(run, seed=seeds[0]) for name, run in runs.items()},
        seeds=tuple(seeds),
        outcomes={name: [found[name, seed] for seed in seeds] for name in runs},
    )


def _outcome(run: Run) -> dict[str, Any]:
    return attrs.asdict(Outcome.of(run))
