"""The ``explore`` command: searches of design spaces."""

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lowtide.report.error import ReportError
from lowtide.report.synthesis import TARGETS
from lowtide.report.versions import versions
from lowtide_sim.explore.error import ExploreError
from lowtide_sim.explore.plot import plot
from lowtide_sim.explore.search import search, tried
from lowtide_sim.explore.storage import open_study
from lowtide_sim.explore.table import sentence, to_plain, to_table

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
    "--trials", type=click.IntRange(min=1), default=80, show_default=True, help="Trials the study shall have in all."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes that measure.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the sampler.")
@click.option("--rows", is_flag=True, help="Generators that know the ends of rows, at the price of a second register.")
@click.option(
    "--storage",
    type=click.Path(path_type=Path),
    default=Path("build/explore/sru.journal"),
    show_default=True,
    help="File of the study; several processes and machines may share it.",
)
@click.option(
    "--plot", "picture", type=click.Path(path_type=Path), default=Path("build/explore/sru.png"), show_default=True,
    help="Picture.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sru(
    target: str, trials: int, jobs: int, seed: int, rows: bool, storage: Path, picture: Path, as_json: bool
) -> None:
    """Search for stochastic rounding units that are small and true on average.

    Designs differ in generator, taps, words, lanes a generator serves, rule and width of the rounder. Figures are cells
    a rounder from synthesis, bias and correlation counted exactly. The study is kept in a file: a search that was
    interrupted goes on from there, and several at once work on the same.
    """
    study = open_study(storage, f"sru-{target}{'-rows' * rows}")
    started, before = time.perf_counter(), len(tried(study, rows=rows))
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"Trials on {target}", total=trials)
            search(
                study,
                trials=trials,
                jobs=jobs,
                seed=seed,
                target=target,
                rows=rows,
                cache=CACHE,
                progress=lambda done: progress.update(task, completed=done),
            )
    except ReportError as error:
        raise ExploreError(str(error)) from None
    except KeyboardInterrupt:
        raise ExploreError(f"interrupted; the same command goes on, {storage} has what was found") from None
    minutes = (time.perf_counter() - started) / 60
    designs = tried(study, rows=rows)
    plot(designs, target, picture)
    if as_json:
        found = {"target": target, "versions": dict(versions()), **to_plain(designs), "plot": str(picture)}
        click.echo(json.dumps(found, indent=2))
        return
    Console(width=None if sys.stdout.isatty() else 160).print(to_table(designs, target))
    click.echo(sentence(designs))
    click.echo(picture)
