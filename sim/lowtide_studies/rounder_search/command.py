"""The ``explore`` command: searches of design spaces."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import click
import optuna
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lowtide.cli.options import OutputFile, Picture, Whole
from lowtide.synthesis.yosys import TARGETS
from lowtide.versions import versions
from lowtide_studies.networks.accuracy import final_accuracy
from lowtide_studies.rounder_search.accuracy import accuracies
from lowtide_studies.rounder_search.design import SearchError
from lowtide_studies.rounder_search.front import front_of_area_and_bias
from lowtide_studies.rounder_search.plot import plot
from lowtide_studies.rounder_search.search import Tried, search, tried, workers
from lowtide_studies.rounder_search.storage import open_study
from lowtide_studies.rounder_search.table import sentence, to_plain, to_table

__all__ = ["explore"]

CACHE = Path("build/cache")
EXAMPLES = """\b
Examples:
  lowtide explore sru
  lowtide explore sru --trials 400 --target ecp5
  lowtide explore sru --storage /net/shared/sru.journal --seed 2
"""


@click.group()
def explore() -> None:
    """Search design spaces."""


@explore.command(epilog=EXAMPLES)
@click.option("--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family.")
@click.option(
    "--trials",
    type=Whole("trials", range(1, 10**6 + 1)),
    default=120,
    show_default=True,
    help="Trials the study shall have in all.",
)
@click.option("--jobs", type=Whole("jobs", range(1, 257)), default=2, show_default=True, help="Processes that measure.")
@click.option("--seed", type=Whole("seed", range(2**32)), default=1, show_default=True, help="Of the sampler.")
@click.option("--rows", is_flag=True, help="Generators that know the ends of rows, at the price of a second register.")
@click.option(
    "--accuracy",
    "trainings",
    type=Whole("accuracy", range(1001)),
    default=0,
    show_default=True,
    help="Train a network by each design that is printed, so many times.",
)
@click.option(
    "--storage",
    type=OutputFile("storage"),
    default=Path("build/explore/sru.journal"),
    show_default=True,
    help="File of the study; several processes and machines may share it.",
)
@click.option(
    "--plot",
    "picture",
    type=Picture("plot"),
    default=Path("build/explore/sru.png"),
    show_default=True,
    help="Picture.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sru(
    target: str,
    trials: int,
    jobs: int,
    seed: int,
    rows: bool,
    trainings: int,
    storage: Path,
    picture: Path,
    as_json: bool,
) -> None:
    """Search for stochastic rounding units that are small and true on average.

    Designs differ in generator, taps, words, lanes a generator serves, rule and width of the rounder. Figures are cells
    a rounder from synthesis, bias and correlation counted exactly. The study is kept in a file: a search that was
    interrupted goes on from there, and several at once work on the same.
    """
    study = open_study(storage, f"sru-{target}{'-rows' * rows}")
    try:
        _search(study, trials, jobs, seed=seed, target=target, rows=rows)
        designs = tried(study, rows=rows)
        trained = _train(designs, trainings, jobs) if trainings else {}
    except KeyboardInterrupt:
        raise SearchError(f"interrupted; the same command goes on, {storage} has what was found") from None
    plot(designs, target, picture)
    if as_json:
        found = {"target": target, "versions": versions() | {"optuna": version("optuna")}}
        click.echo(json.dumps(found | to_plain(designs, trained) | {"plot": str(picture)}, indent=2))
        return
    Console(width=None if sys.stdout.isatty() else 160).print(to_table(designs, target, trained))
    click.echo(sentence(designs))
    click.echo(picture)


def _search(study: optuna.Study, trials: int, jobs: int, *, seed: int, target: str, rows: bool) -> None:
    """Search, with a bar of progress, and say how fast it went."""
    finished: list[int] = []

    def update(done: int) -> None:
        finished.append(done)
        bar(done)

    started = time.perf_counter()
    with _bar(f"Trials on {target}", trials) as bar:
        search(study, trials=trials, jobs=jobs, seed=seed, target=target, rows=rows, cache=CACHE, progress=update)
    made, minutes = finished[-1] - finished[0], (time.perf_counter() - started) / 60
    if made:
        click.echo(
            f"{made} trials in {60 * minutes:.0f} s, {made / minutes:.0f} a minute by {jobs} processes", err=True
        )


def _train(designs: list[Tried], trainings: int, jobs: int) -> dict[int, float]:
    """Train by the designs of the front of area and bias and by the baselines, with a bar of progress."""
    best = front_of_area_and_bias(designs)
    chosen = best + [tried for tried in designs if tried.baseline and tried not in best]
    with _bar("Trainings", trainings * len(chosen)) as bar, workers(jobs) as pool:
        return accuracies(chosen, final_accuracy, seeds=range(1, trainings + 1), pool=pool, progress=bar)


@contextmanager
def _bar(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of progress on stderr, where that is a terminal; it is told how much is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
