"""The search: its study in Optuna's storage, and trials in order, several at a time."""

import hashlib
import json
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import attrs
import numpy as np
import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import FrozenTrial, Trial, TrialState

from lowtide.emission.folder import verilog_and_modules
from lowtide.errors import SynthesisError
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide.versions import versions
from lowtide_studies.harness.jobs import workers
from lowtide_studies.harness.storage import StorageError, open_study
from lowtide_studies.rounder_search.design import (
    BASELINES,
    DISTRIBUTIONS,
    PLATEAU,
    VERSION,
    Design,
    SearchError,
    design_of,
    point_of,
)
from lowtide_studies.rounder_search.figures import OBJECTIVES, Figures, measure

__all__ = ["Tried", "fingerprint", "open_search", "search", "tried"]


def open_search(storage: str | Path, name: str) -> optuna.Study:
    """Open the study of a search, or create it; raise `StorageError` if another version of the search made it."""
    study = open_study(storage, name, len(OBJECTIVES))
    here, there = fingerprint(), study.user_attrs.get("version")
    if there is None and not study.trials:
        study.set_user_attr("version", here)
    elif there != here:
        raise StorageError(
            f"cannot use {storage} as storage: its study has another version of the search space, the hardware or"
            f" Yosys, {there}, not {here}; give another --storage"
        )
    return study


def fingerprint() -> str:
    """Hash of the search space, the hardware and the version of Yosys: figures are comparable if it is equal."""
    space = {name: distribution_to_json(distribution) for name, distribution in DISTRIBUTIONS.items()}
    plateau = BASELINES[PLATEAU]
    designs = [plateau, attrs.evolve(plateau, polarity="plain", mode="half_step", fraction=4)]
    hardware = [verilog_and_modules(RoundingDecisions(d.source, d.rounder))[0] for d in designs]
    text = json.dumps([space, list(OBJECTIVES), hardware, versions()["yosys"]])
    return f"{VERSION}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@attrs.frozen
class Tried:
    """A design with its figures.

    Parameters
    ----------
    number : int
        Number of its first trial.
    design : Design
    figures : Figures
    baseline : str
        Name of the baseline; empty for other designs.
    """

    number: int
    design: Design
    figures: Figures
    baseline: str = ""


def search(
    study: optuna.Study,
    *,
    trials: int,
    jobs: int,
    seed: int,
    target: str,
    rows: bool = False,
    cache: Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Run trials until a study has a number of finished trials, the baselines first.

    Several processes may share the study. They all stop at this number; trials that are then running may exceed it. A
    single search repeats itself with equal seed and jobs, however often it was interrupted between trials: it tells
    results in the order in which it asked for designs, and random numbers depend on the number of the trial.

    Parameters
    ----------
    study : optuna.Study
        From `open_search`.
    trials : int
        Finished trials of the study.
    jobs : int
        Number of processes.
    seed : int
        Seed of the sampler.
    target, rows, cache
        As in `measure` and `design_of`.
    progress : callable
        Called with the number of finished trials.
    """
    _enqueue_baselines(study, rows)
    measured = partial(_measured, target=target, cache=cache)
    under_way: deque = deque()
    with workers(jobs) as pool:
        try:
            while True:
                done = len(_finished(study))
                progress(done)
                while len(under_way) < jobs and done + len(under_way) < trials:
                    trial = _ask(study, seed)
                    under_way.append((trial, pool.submit(measured, design_of(trial.params, rows=rows))))
                if not under_way:
                    return
                figures = under_way[0][1].result()
                trial, _ = under_way.popleft()
                trial.set_user_attr("figures", attrs.asdict(figures))
                study.tell(trial, figures.values)
        finally:
            for trial, future in under_way:
                future.cancel()
                study.tell(trial, state=TrialState.FAIL)


def tried(study: optuna.Study, *, rows: bool = False) -> list[Tried]:
    """Measured designs, each once, in the order of their trials."""
    names = {attrs.evolve(design, rows=rows): name for name, design in BASELINES.items()}
    found: dict[Design, Tried] = {}
    for trial in _finished(study):
        design = design_of(trial.params, rows=rows)
        figures = Figures(**trial.user_attrs["figures"])
        found.setdefault(design, Tried(trial.number, design, figures, names.get(design, "")))
    return list(found.values())


def _ask(study: optuna.Study, seed: int) -> Trial:
    """The next trial. Its random numbers depend on its number only, not on the machine."""
    number = len(study.get_trials(deepcopy=False))
    state = np.random.SeedSequence([seed, number]).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(state[0]), n_startup_trials=20)
    return study.ask(DISTRIBUTIONS)


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _enqueue_baselines(study: optuna.Study, rows: bool) -> None:
    """Enqueue baselines that are neither measured nor waiting; an interrupted baseline is enqueued again."""
    known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.WAITING))
    names = {trial.user_attrs.get("baseline") for trial in known}
    for name, design in BASELINES.items():
        if name not in names:
            study.enqueue_trial(point_of(design), user_attrs={"baseline": name})


def _measured(design: Design, target: str, cache: Path | None) -> Figures:
    """Call `measure`, and raise errors that another process can send back."""
    try:
        return measure(design, target, cache)
    except SynthesisError as error:
        raise SearchError(f"{design} on {target}: {error}") from None
