"""All runs of a study: settings by roundings by seeds, on several processes, each kept on disk."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
from threadpoolctl import threadpool_limits

from lowtide.synthesis import Cache
from lowtide_studies.harness.code_hash import code_hash
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.networks.named_rounding import IDEAL, NAMED
from lowtide_studies.networks.setting import Setting
from lowtide_studies.networks.training import Trained, train

__all__ = ["PACKAGES", "Study", "run_study"]

PACKAGES = ("lowtide", "numpy", "scikit-learn")
"""What figures depend on."""

CODE = ("lowtide.units.random", "lowtide_model", "lowtide_studies.networks")
"""Packages whose code every run depends on."""

Runs = dict[tuple[str, str], list[Trained]]


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """What came out, and how it compares.

    Parameters
    ----------
    settings : dict of str to Setting
    roundings : tuple of str
    seeds : tuple of int
    runs : dict
        By setting and rounding the runs of all seeds.
    """

    settings: dict[str, Setting]
    roundings: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: Runs

    def accuracies(self, setting: str, rounding: str) -> list[float]:
        """Per cent of the held-out images, seed by seed."""
        return [100 * run.accuracy for run in self.runs[setting, rounding]]

    def accuracy(self, setting: str, rounding: str) -> Summary:
        """Per cent of the held-out images."""
        return Summary.of(self.accuracies(setting, rounding))

    def loss(self, setting: str, rounding: str) -> Summary:
        """Cross-entropy of the training images."""
        return Summary.of([run.loss for run in self.runs[setting, rounding]])

    def difference(self, setting: str, rounding: str) -> Difference | None:
        """Accuracy minus that of ideal rounding, in per cent; None without ideal rounding."""
        if IDEAL not in self.roundings:
            return None
        return Difference.of(self.accuracies(setting, rounding), self.accuracies(setting, IDEAL))

    def loss_difference(self, setting: str, rounding: str) -> Difference | None:
        """Training loss minus that of ideal rounding; None without ideal rounding."""
        if IDEAL not in self.roundings:
            return None
        losses = [[run.loss for run in self.runs[setting, name]] for name in (rounding, IDEAL)]
        return Difference.of(*losses)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, every run included."""
        return {
            "versions": {name: version(name) for name in PACKAGES},
            "seeds": list(self.seeds),
            "settings": {name: attrs.asdict(setting) for name, setting in self.settings.items()},
            "roundings": {name: NAMED[name].meaning for name in self.roundings},
            "results": [
                {
                    "setting": setting,
                    "rounding": rounding,
                    "accuracy": _plain(self.accuracy(setting, rounding)),
                    "loss": _plain(self.loss(setting, rounding)),
                    "accuracy_minus_ideal": _plain(self.difference(setting, rounding)),
                    "loss_minus_ideal": _plain(self.loss_difference(setting, rounding)),
                    "runs": [attrs.asdict(run) for run in self.runs[setting, rounding]],
                }
                for setting in self.settings
                for rounding in self.roundings
            ],
        }


def _plain(figures: Summary | Difference | None) -> dict[str, float | None] | None:
    """Figures by name; what is not known, such as the error of one seed, is None, since JSON has no NaN."""
    if figures is None:
        return None
    return {name: None if math.isnan(value) else value for name, value in attrs.asdict(figures).items()}


def run_study(
    settings: dict[str, Setting],
    roundings: Sequence[str],
    seeds: Sequence[int],
    *,
    processes: int = 2,
    folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Study:
    """Train in every setting, by every rounding, from every seed.

    Parameters
    ----------
    settings : dict of str to Setting
        By the names that tables give them.
    roundings : sequence of str
        Of `NAMED`.
    seeds : sequence of int
        The same for all.
    processes : int
        Runs at a time.
    folder : Path, optional
        Where each run is kept, so that a study that was stopped goes on where it was. A run is made anew if the code
        that it comes from has changed.
    progress : callable
        Called with the runs that are done, and how many there are.
    """
    jobs = [(setting, rounding, seed) for seed in seeds for setting in settings for rounding in roundings]
    found: dict[tuple[str, str, int], Trained] = {}
    code = fingerprint()
    if processes == 1:
        for setting, rounding, seed in jobs:
            found[setting, rounding, seed] = _run(settings[setting], rounding, seed, code, folder)
            progress(len(found), len(jobs))
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(_run, settings[job[0]], *job[1:], code, folder): job for job in jobs}
            for future in as_completed(futures):
                found[futures[future]] = future.result()
                progress(len(found), len(jobs))
    return Study(
        settings=dict(settings),
        roundings=tuple(roundings),
        seeds=tuple(seeds),
        runs={
            (setting, rounding): [found[setting, rounding, seed] for seed in seeds]
            for setting in settings
            for rounding in roundings
        },
    )


def _run(setting: Setting, rounding: str, seed: int, code: str, folder: Path | None) -> Trained:
    make = NAMED[rounding].make
    described = repr(make(seed)) if rounding != IDEAL else rounding
    inputs = (code, repr(setting), described, str(seed), *(version(name) for name in PACKAGES))
    # Threads never change a quantized product, which is exact, but could change a plain one, and here take more time
    # than they save.
    with threadpool_limits(1):
        return Cache(folder).recall(Trained, inputs, lambda: train(setting, make(seed), seed))


def fingerprint() -> str:
    """A hash of the code that training runs on."""
    return code_hash(CODE)
