"""Runs of the study: settings by roundings by seeds."""

from collections.abc import Sequence
from typing import Any

import attrs

from lowtide_studies.harness.jobs import Job, Runner, training_inputs
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.networks.roundings import IDEAL, NAMED
from lowtide_studies.networks.training import Setting, Trained, train

__all__ = ["Study", "run_study"]


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """Results, and their comparison with ideal rounding; by setting and rounding, the runs of all seeds."""

    settings: dict[str, Setting]
    roundings: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: dict[tuple[str, str], list[Trained]]

    def accuracies(self, setting: str, rounding: str) -> list[float]:
        """Per cent of the held-out images, seed by seed."""
        return [100 * run.accuracy for run in self.runs[setting, rounding]]

    def accuracy(self, setting: str, rounding: str) -> Summary:
        return Summary.of(self.accuracies(setting, rounding))

    def losses(self, setting: str, rounding: str) -> list[float]:
        """Cross-entropy of the training images, seed by seed."""
        return [run.loss for run in self.runs[setting, rounding]]

    def loss(self, setting: str, rounding: str) -> Summary:
        return Summary.of(self.losses(setting, rounding))

    def difference(self, setting: str, rounding: str) -> Difference | None:
        """Accuracy minus the accuracy of ideal rounding, in per cent; None without ideal rounding."""
        if IDEAL not in self.roundings:
            return None
        return Difference.of(self.accuracies(setting, rounding), self.accuracies(setting, IDEAL))

    def loss_difference(self, setting: str, rounding: str) -> Difference | None:
        """Training loss minus the training loss of ideal rounding; None without ideal rounding."""
        if IDEAL not in self.roundings:
            return None
        return Difference.of(self.losses(setting, rounding), self.losses(setting, IDEAL))

    def settings_to_json(self) -> dict[str, Any]:
        """Plain values of everything that was chosen."""
        return {
            "seeds": list(self.seeds),
            "settings": {name: attrs.asdict(setting) for name, setting in self.settings.items()},
            "roundings": {name: NAMED[name].meaning for name in self.roundings},
        }

    def rows(self) -> list[dict[str, Any]]:
        """Plain values of all results, each run included."""
        return [
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
        ]


def _plain(figures: Summary | Difference | None) -> dict[str, float] | None:
    return None if figures is None else attrs.asdict(figures)


def run_study(
    settings: dict[str, Setting], roundings: Sequence[str], seeds: Sequence[int], runner: Runner | None = None
) -> Study:
    """Train with each setting, each rounding of `NAMED` and each seed."""
    inputs = training_inputs()
    names = [(setting, rounding, seed) for seed in seeds for setting in settings for rounding in roundings]
    jobs = [
        Job(
            name=f"{setting}, {rounding}, seed {seed}",
            inputs=(*inputs, repr(settings[setting]), _described(rounding, seed), str(seed)),
            function=_run,
            arguments=(settings[setting], rounding, seed),
        )
        for setting, rounding, seed in names
    ]
    results = (runner or Runner()).run("Training", jobs)
    found = {name: Trained(**result) for name, result in zip(names, results, strict=True)}
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


def _described(rounding: str, seed: int) -> str:
    return rounding if rounding == IDEAL else repr(NAMED[rounding].make(seed))


def _run(setting: Setting, rounding: str, seed: int) -> dict[str, Any]:
    return attrs.asdict(train(setting, NAMED[rounding].make(seed), seed))
