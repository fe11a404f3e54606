"""Jobs of a study on several processes, each computed once for the same code and inputs."""

import hashlib
import json
import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from threadpoolctl import threadpool_limits

from lowtide.cli.progress import progress_bar
from lowtide.errors import CommandError, LowtideError
from lowtide.versions import versions

__all__ = ["Job", "Runner", "synthesis_inputs", "training_inputs", "workers"]


def code_hash(packages: Sequence[str], excluded: Collection[str] = ()) -> str:
    """SHA-256 of all modules of packages and of their subpackages.

    Parameters
    ----------
    packages : sequence of str
        Import names.
    excluded : collection of str
        Last names of modules of the last package that are left out.
    """
    digest = hashlib.sha256()
    for package in packages:
        folder = Path(import_module(package).__file__ or "").parent
        for file in sorted(folder.rglob("*.py")):
            if package != packages[-1] or file.stem not in excluded:
                digest.update(file.read_bytes())
    return digest.hexdigest()


def training_inputs(*packages: str, excluded: Collection[str] = ()) -> tuple[str, ...]:
    """Code and versions on which the result of each training depends; further packages add to the code."""
    code = code_hash(("lowtide.units.random", "lowtide_model", "lowtide_studies.networks", *packages), excluded)
    return (code, *(version(name) for name in ("lowtide", "numpy", "scikit-learn")))


def synthesis_inputs() -> tuple[str, ...]:
    """Code and versions on which the cells of each Verilog text depend."""
    known = versions()
    return code_hash(("lowtide.synthesis",)), known["lowtide"], known["yosys"]


@attrs.frozen(kw_only=True)
class Job:
    """A function call whose result is a JSON value.

    Parameters
    ----------
    name : str
        Text for the progress on a terminal.
    inputs : tuple of str
        Everything that the result depends on: hash of the code, versions, arguments.
    function : callable
        Importable function, so that another process can call it.
    arguments : tuple
        Its arguments.
    """

    name: str
    inputs: tuple[str, ...]
    function: Callable[..., Any]
    arguments: tuple = ()

    @property
    def key(self) -> str:
        """Hash of the inputs."""
        return hashlib.sha256(json.dumps(self.inputs).encode()).hexdigest()[:32]


@attrs.frozen(kw_only=True)
class Runner:
    """Runs jobs, and keeps the result of each finished job as a user attribute of an Optuna trial.

    Parameters
    ----------
    processes : int
        Jobs at a time; one job at a time runs in this process.
    study : optuna.Study, optional
        Study that keeps the results. Without a study nothing is kept.
    quiet : bool
        Whether no progress is reported.
    """

    processes: int = 1
    study: optuna.Study | None = None
    quiet: bool = True

    def run(self, label: str, jobs: Sequence[Job]) -> list[Any]:
        """Results in the order of the jobs."""
        results = dict(self.results(label, jobs))
        return [results[place] for place in range(len(jobs))]

    def results(self, label: str, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        """Each result as its job finishes, after the place of the job.

        Jobs that another process has started are left to the end. If they are not finished by then, they run twice:
        the other process may have been killed, and the result is the same.
        """
        with progress_bar(quiet=self.quiet) as progress, workers(self.processes) as pool:
            task = progress.add_task(label, total=len(jobs))
            waiting, running = deque(enumerate(jobs)), {}
            try:
                while waiting or running:
                    while waiting and len(running) < self.processes:
                        place, job, kept = self._next(waiting)
                        if kept is None:
                            trial = self._start(job)
                            running[self._submit(pool, job, trial)] = (place, job, trial)
                        else:
                            progress.update(task, advance=1, item=job.name)
                            yield place, kept.user_attrs["result"]
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        place, job, trial = running.pop(future)
                        result, seconds = self._finish(future, trial)
                        progress.update(task, advance=1, item=f"{job.name} ({seconds:.1f} s)")
                        yield place, result
            finally:
                for future, (_, _, trial) in running.items():
                    future.cancel()
                    self._fail(trial)

    def _next(self, waiting: deque[tuple[int, Job]]) -> tuple[int, Job, FrozenTrial | None]:
        """The next job that no other process has started, with the trial that keeps its result."""
        trials = self.study.get_trials(deepcopy=False) if self.study else []
        finished = {trial.user_attrs.get("key"): trial for trial in trials if trial.state == TrialState.COMPLETE}
        started = {trial.user_attrs.get("key") for trial in trials if trial.state == TrialState.RUNNING}
        for _ in range(len(waiting)):
            if waiting[0][1].key not in started - finished.keys():
                break
            waiting.rotate(-1)
        place, job = waiting.popleft()
        return place, job, finished.get(job.key)

    def _start(self, job: Job) -> Trial | None:
        if self.study is None:
            return None
        trial = self.study.ask()
        trial.set_user_attr("job", job.name)
        trial.set_user_attr("key", job.key)
        return trial

    def _submit(self, pool: Executor, job: Job, trial: Trial | None) -> Future:
        try:
            return pool.submit(_timed, job.function, job.arguments)
        except BaseException:
            self._fail(trial)
            raise

    def _finish(self, future: Future, trial: Trial | None) -> tuple[Any, float]:
        try:
            result, seconds = future.result()
        except BaseException:
            self._fail(trial)
            raise
        if trial is not None and self.study is not None:
            trial.set_user_attr("result", result)
            self.study.tell(trial, seconds)
        return result, seconds

    def _fail(self, trial: Trial | None) -> None:
        if trial is not None and self.study is not None:
            self.study.tell(trial, state=TrialState.FAIL)


class _ThisProcess(Executor):
    """Computes at once, without another process."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def workers(processes: int) -> Executor:
    """Processes that an interrupt ends without a traceback; a single process is this one."""
    if processes == 1:
        return _ThisProcess()
    initializer = (signal.SIGINT, signal.SIG_DFL)
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=signal.signal, initargs=initializer)


def _timed(function: Callable[..., Any], arguments: tuple) -> tuple[Any, float]:
    """The result after a round trip through JSON, and the seconds that it took.

    NumPy has one thread: jobs share the cores, and more threads would change the order of sums.
    """
    started = time.perf_counter()
    try:
        with threadpool_limits(1):
            result = function(*arguments)
    except LowtideError as error:
        # Some errors cannot be sent to another process as they are.
        raise CommandError(str(error)) from None
    return json.loads(json.dumps(result)), time.perf_counter() - started
