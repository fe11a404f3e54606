"""The search: trials one after the other, several at a time."""

import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT

import attrs
import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from lowtide.errors import SynthesisError
from lowtide_studies.rounder_search.design import Design, SearchError
from lowtide_studies.rounder_search.figures import Figures, measure
from lowtide_studies.rounder_search.space import BASELINES, DISTRIBUTIONS, design_of, point_of

__all__ = ["Tried", "search", "tried", "workers"]


@attrs.frozen
class Tried:
    """A design with its figures.

    Parameters
    ----------
    number : int
        Of the trial that first came to it.
    design : Design
        The design.
    figures : Figures
        Its figures.
    baseline : str
        Its name, if it is one.
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
    """Bring a study to a number of finished trials, the baselines first.

    Other processes may work on the same study; all of them then stop at that number, give or take what is under way.
    By itself, a search gives the same with the same seed and jobs, however often it was interrupted between trials:
    results are told in the order in which designs were asked for, and random numbers depend on the trial's number.

    Parameters
    ----------
    study : optuna.Study
        From `open_study`.
    trials : int
        Finished trials that the study shall have.
    jobs : int
        Processes that measure.
    seed : int
        Of the sampler.
    target, rows, cache
        As for `measure` and `design_of`.
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


def workers(jobs: int) -> ProcessPoolExecutor:
    """So many processes, which leave an interrupt to the one that asks them."""
    return ProcessPoolExecutor(jobs, get_context("spawn"), initializer=signal.signal, initargs=(SIGINT, SIG_IGN))


def tried(study: optuna.Study, *, rows: bool = False) -> list[Tried]:
    """Designs that were measured, each once, in the order of their trials."""
    names = {attrs.evolve(design, rows=rows): name for name, design in BASELINES.items()}
    found: dict[Design, Tried] = {}
    for trial in _finished(study):
        design = design_of(trial.params, rows=rows)
        figures = Figures(**trial.user_attrs["figures"])
        found.setdefault(design, Tried(trial.number, design, figures, names.get(design, "")))
    return list(found.values())


def _ask(study: optuna.Study, seed: int) -> Trial:
    """The next trial. Its random numbers are its own, on whatever machine it is asked for."""
    number = len(study.get_trials(deepcopy=False))
    state = np.random.SeedSequence([seed, number]).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(state[0]), n_startup_trials=20)
    return study.ask(DISTRIBUTIONS)


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _enqueue_baselines(study: optuna.Study, rows: bool) -> None:
    """Put those first that are not measured yet, or not waiting; one that was interrupted is put again."""
    known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.WAITING))
    names = {trial.user_attrs.get("baseline") for trial in known}
    for name, design in BASELINES.items():
        if name not in names:
            study.enqueue_trial(point_of(design), user_attrs={"baseline": name})


def _measured(design: Design, target: str, cache: Path | None) -> Figures:
    """`measure` in another process, from which not every error finds its way back."""
    try:
        return measure(design, target, cache)
    except SynthesisError as error:
        raise SearchError(f"{design} on {target}: {error}") from None
