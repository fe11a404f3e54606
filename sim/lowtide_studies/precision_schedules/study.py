"""Schedules and baselines compared, from the same seeds, each run kept on disk."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.synthesis import Cache
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.schedule import HIGH
from lowtide_studies.engine_training.trainer import train
from lowtide_studies.harness.code_hash import code_hash
from lowtide_studies.harness.statistics import Difference, Summary

__all__ = ["BASELINE", "COMPARED", "Comparison", "Outcome", "compare"]

BASELINE = "fp32"
COMPARED = (BASELINE, "fixed-4", "adaptive", "two-sided", "low-then-high", "fixed-2", "int8", "msfp12")

CODE = ("lowtide.units.random", "lowtide_model", "lowtide_studies.networks", "lowtide_studies.engine_training")
"""Packages whose code every run depends on."""

PRESENTATION = ("command", "log", "multiplications", "plot", "summary", "table")
"""Modules of `lowtide_studies.engine_training` that no run depends on."""

PACKAGES = ("lowtide", "numpy", "scikit-learn")


@attrs.frozen(kw_only=True)
class Outcome:
    """A run in short.

    Parameters
    ----------
    accuracy, loss, sha256, accuracies
        As of `lowtide_studies.engine_training.trainer.Trained`.
    pairs, beats : list of int
        Pairs of groups and of chunks, step by step.
    chunks : dict of str to list of int
        By uses, step by step.
    """

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
        """Steps after which an accuracy was first seen, of those after which it was looked at."""
        return next((int(steps) for steps, seen in self.accuracies if seen >= accuracy), None)

    def beats_to(self, accuracy: float) -> int | None:
        """Pairs of chunks until then."""
        steps = self.steps_to(accuracy)
        return None if steps is None or not any(self.beats) else sum(self.beats[:steps])

    @property
    def beats_per_pair(self) -> float:
        """Pairs of chunks for a pair of groups, over all steps; NaN of a baseline."""
        return sum(self.beats) / sum(self.pairs) if any(self.pairs) else float("nan")

    def high(self, kind: str) -> float:
        """Share of the uses of a kind of tensor that had two chunks; NaN of a baseline."""
        found = [chunks == HIGH for key, held in self.chunks.items() if key.endswith(kind) for chunks in held]
        return float(np.mean(found)) if found else float("nan")


@attrs.frozen(kw_only=True, eq=False)
class Comparison:
    """What came out, and how it compares.

    Parameters
    ----------
    runs : dict of str to Run
        By schedules, with the first seed.
    seeds : tuple of int
    outcomes : dict of str to list of Outcome
        By schedules, seed by seed.
    """

    runs: dict[str, Run]
    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]

    def accuracies(self, schedule: str) -> list[float]:
        """Per cent, seed by seed."""
        return [100 * outcome.accuracy for outcome in self.outcomes[schedule]]

    def accuracy(self, schedule: str) -> Summary:
        """Per cent."""
        return Summary.of(self.accuracies(schedule))

    def difference(self, schedule: str) -> Difference | None:
        """Accuracy minus that of FP32, in points; None without FP32."""
        if BASELINE not in self.outcomes:
            return None
        return Difference.of(self.accuracies(schedule), self.accuracies(BASELINE))

    def reached(self, schedule: str, what: Callable[[Outcome], int | None]) -> tuple[float, int]:
        """Mean over the seeds that reach an accuracy, of steps or beats, and how many seeds these are."""
        known = [value for value in map(what, self.outcomes[schedule]) if value is not None]
        return (float(np.mean(known)) if known else float("nan")), len(known)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "versions": {name: version(name) for name in PACKAGES},
            "seeds": list(self.seeds),
            "runs": {schedule: run.identity() for schedule, run in self.runs.items()},
            "outcomes": {
                schedule: [attrs.asdict(outcome) for outcome in outcomes]
                for schedule, outcomes in self.outcomes.items()
            },
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Comparison":
        """What `to_json` gave. Versions are left aside."""
        return cls(
            runs={schedule: _run(identity) for schedule, identity in plain["runs"].items()},
            seeds=tuple(plain["seeds"]),
            outcomes={name: [Outcome(**outcome) for outcome in found] for name, found in plain["outcomes"].items()},
        )


def _run(identity: Mapping[str, Any]) -> Run:
    """The run of an identity, keys that have no part in its bits as they are by default."""
    own = {field.name for field in attrs.fields(Run)} - {"options", "config"}
    options = {key.removeprefix("schedule."): value for key, value in identity.items() if key.startswith("schedule.")}
    config = {key: value for key, value in identity.items() if key.split(".")[0] in ("array", "bfp", "engine")}
    return Run(
        **{key: value for key, value in identity.items() if key in own},
        options=options,
        config=Config().changed(config),
    )


def compare(
    runs: dict[str, Run],
    seeds: Sequence[int],
    *,
    processes: int = 2,
    folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Comparison:
    """Train by every schedule from every seed, on the golden engine.

    Parameters
    ----------
    runs : dict of str to Run
        By the names that tables give them; their seeds do not matter.
    seeds : sequence of int
        The same for all.
    processes : int
        Runs at a time.
    folder : Path, optional
        Where each run is kept, until the code that it comes from changes.
    progress : callable
        Called with the runs that are done, and how many there are.
    """
    code = code_hash(CODE, PRESENTATION)
    jobs = [(name, seed) for seed in seeds for name in runs]
    found: dict[tuple[str, int], Outcome] = {}
    progress(0, len(jobs))
    if processes == 1:
        for name, seed in jobs:
            found[name, seed] = _outcome(attrs.evolve(runs[name], seed=seed), code, folder)
            progress(len(found), len(jobs))
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            futures = {
                pool.submit(_outcome, attrs.evolve(runs[name], seed=seed), code, folder): (name, seed)
                for name, seed in jobs
            }
            for future in as_completed(futures):
                found[futures[future]] = future.result()
                progress(len(found), len(jobs))
    return Comparison(
        runs={name: attrs.evolve(run, seed=seeds[0]) for name, run in runs.items()},
        seeds=tuple(seeds),
        outcomes={name: [found[name, seed] for seed in seeds] for name in runs},
    )


def _outcome(run: Run, code: str, folder: Path | None) -> Outcome:
    return Cache(folder).recall(Outcome, (code, repr(sorted(run.identity().items()))), lambda: Outcome.of(run))
