"""The ``schedules`` command: precision that changes in training, against precision that does not."""

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from lowtide.cli.options import Name, Names, Number, OutputFolder, Whole
from lowtide.cli.progress import progress_bar
from lowtide.paths import check_output_file, check_output_folder
from lowtide_studies.engine_training.run import PRECISIONS, Run
from lowtide_studies.networks.network import NETWORKS
from lowtide_studies.precision_schedules.plot import plot_comparison
from lowtide_studies.precision_schedules.study import COMPARED, Comparison, compare
from lowtide_studies.precision_schedules.table import comparison_table

__all__ = ["EVALUATE", "FOLDER", "RATE", "SEEDS", "STEPS", "compare_with_progress", "schedules"]

SEEDS, STEPS, RATE, EVALUATE = 5, 720, 0.2, 9
FOLDER = Path("build/schedules")
QUICK_SEEDS, QUICK_STEPS = 2, 45

EXAMPLES = """\b
Examples:
  lowtide schedules
  lowtide schedules --quick
  lowtide schedules --schedule fp32,fixed-4,adaptive --network convolution --rate 0.05
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--schedule",
    "names",
    type=Names("schedule", PRECISIONS),
    default=",".join(COMPARED),
    help=f"What is compared: of {', '.join(COMPARED)}; all by default.",
)
@click.option(
    "--network",
    type=Name("network", NETWORKS),
    default="perceptron",
    show_default=True,
    help=f"Of {', '.join(NETWORKS)}.",
)
@click.option(
    "--seeds", type=Whole("seeds", range(1, 1001)), default=SEEDS, show_default=True, help="Seeds, from 0 up."
)
@click.option(
    "--steps", type=Whole("steps", range(1, 10**6 + 1)), default=STEPS, show_default=True, help="Steps of a run."
)
@click.option(
    "--rate", type=Number("rate", 0, 100), default=RATE, show_default=True, help="Learning rate at the start."
)
@click.option(
    "--evaluate",
    type=Whole("evaluate", range(1, 10**6 + 1)),
    default=EVALUATE,
    show_default=True,
    help="Steps between two measurements of accuracy.",
)
@click.option(
    "--target",
    type=Number("target", 0, 100, closed=True),
    default=96.0,
    show_default=True,
    help="Accuracy in per cent that is to be reached.",
)
@click.option("--validation", is_flag=True, help="Look at 287 training images that are not learnt from.")
@click.option("--quick", is_flag=True, help=f"Only {QUICK_SEEDS} seeds and {QUICK_STEPS} steps: to see it work.")
@click.option(
    "--processes", type=Whole("processes", range(1, 257)), default=2, show_default=True, help="Runs at a time."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of a table.")
@click.option(
    "--folder",
    type=OutputFolder("folder"),
    default=FOLDER,
    show_default=True,
    help="Where picture, results and finished runs go.",
)
def schedules(
    names: tuple[str, ...],
    network: str,
    seeds: int,
    steps: int,
    rate: float,
    evaluate: int,
    target: float,
    validation: bool,
    quick: bool,
    processes: int,
    as_json: bool,
    folder: Path,
) -> None:
    """Compare schedules of precision in training.

    Each trains from the same first weights and sees the same images in the same order, seed by seed, with every
    product on the golden engine. Beside them are FP32, 8-bit integers, and BFP of 3 bits as MSFP-12 has it. Finished
    runs are kept: a comparison that was stopped goes on where it was.
    """
    started = time.perf_counter()
    if quick:
        seeds, steps = min(seeds, QUICK_SEEDS), min(steps, QUICK_STEPS)
    runs = {
        name: Run(network=network, schedule=name, steps=steps, rate=rate, evaluate=evaluate, validation=validation)
        for name in names
    }
    name = f"schedules-{network}" + ("-validation" if validation else "")
    picture, data = folder / f"{name}.png", folder / f"{name}.json"
    for file in (picture, data):
        check_output_file(file)
    found = compare_with_progress(runs, seeds, processes, folder)
    plot_comparison(found, picture)
    figures = json.dumps(found.to_json())
    data.write_text(figures + "\n", encoding="utf-8")
    if as_json:
        click.echo(figures)
        return
    Console(width=None if sys.stdout.isatty() else 170).print(comparison_table(found, target))
    for file in (picture, data):
        click.echo(file)
    click.echo(f"{time.perf_counter() - started:.0f} s")


def compare_with_progress(runs: dict[str, Run], seeds: int, processes: int, folder: Path) -> Comparison:
    """Train, with a bar on stderr, where that is a terminal; finished runs are kept in the folder."""
    with progress_bar() as progress:
        task = progress.add_task("Training", total=len(runs) * seeds)
        check_output_folder(folder / "runs")
        return compare(
            runs,
            range(seeds),
            processes=processes,
            folder=folder / "runs",
            progress=lambda done, _: progress.update(task, completed=done),
        )
