"""The ``study`` command: whether stochastic rounding by short random words trains."""

import json
import sys
import time
from pathlib import Path

import attrs
import click
from rich.console import Console

from lowtide.cli.options import Names, OutputFolder, Whole
from lowtide.cli.progress import progress_bar
from lowtide.paths import check_output_file, check_output_folder
from lowtide_studies.gradient_rounding.plot import plot
from lowtide_studies.gradient_rounding.study import run_study
from lowtide_studies.gradient_rounding.table import tables
from lowtide_studies.gradient_rounding.verdict import sentences
from lowtide_studies.networks.named_rounding import NAMED, USUAL_ROUNDINGS
from lowtide_studies.networks.setting import SETTINGS, USUAL

__all__ = ["study"]

QUICK_SEEDS, QUICK_EPOCHS = 2, 2

EXAMPLES = """\b
Examples:
  lowtide study
  lowtide study --quick
  lowtide study --setting small-steps --rounding nearest_even,ideal,plateau-space --seeds 20
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--setting",
    "settings",
    type=Names("setting", tuple(SETTINGS)),
    default=",".join(USUAL),
    help=f"How it is trained: of {', '.join(SETTINGS)}; {', '.join(USUAL)} by default.",
)
@click.option(
    "--rounding",
    "roundings",
    type=Names("rounding", tuple(NAMED)),
    default=",".join(USUAL_ROUNDINGS),
    help=f"How gradients are rounded: of {', '.join(NAMED)}; all but nearest by default.",
)
@click.option("--seeds", type=Whole("seeds", range(1, 1001)), default=10, show_default=True, help="Seeds, from 0 up.")
@click.option("--epochs", type=Whole("epochs", range(1, 1001)), help="Epochs of every setting, instead of its own.")
@click.option("--quick", is_flag=True, help=f"Only {QUICK_SEEDS} seeds and {QUICK_EPOCHS} epochs: to see it work.")
@click.option(
    "--processes", type=Whole("processes", range(1, 257)), default=2, show_default=True, help="Runs at a time."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of tables.")
@click.option(
    "--folder",
    type=OutputFolder("folder"),
    default=Path("build/study"),
    show_default=True,
    help="Where picture, results and finished runs go.",
)
def study(
    settings: tuple[str, ...],
    roundings: tuple[str, ...],
    seeds: int,
    epochs: int | None,
    quick: bool,
    processes: int,
    as_json: bool,
    folder: Path,
) -> None:
    """Train by quantized products, with gradients rounded in many ways.

    A small network learns scikit-learn's handwritten digits; the operands of all three products of each layer are
    quantized by the golden model, weights and activations to nearest, ties to even, gradients as the rounding says.
    Every rounding starts from the same weights and sees the same images in the same order, seed by seed. Finished runs
    are kept: a study that was stopped goes on where it was.
    """
    started = time.perf_counter()
    if quick:
        seeds, epochs = min(seeds, QUICK_SEEDS), epochs or QUICK_EPOCHS
    chosen = {name: SETTINGS[name] for name in settings}
    if epochs is not None:
        chosen = {name: attrs.evolve(setting, epochs=epochs) for name, setting in chosen.items()}
    picture, data = folder / "study.png", folder / "study.json"
    for file in (picture, data):
        check_output_file(file)
    check_output_folder(folder / "runs")
    with progress_bar() as progress:
        task = progress.add_task("Training", total=len(chosen) * len(roundings) * seeds)
        found = run_study(
            chosen,
            roundings,
            range(seeds),
            processes=processes,
            folder=folder / "runs",
            progress=lambda done, _: progress.update(task, completed=done),
        )
    plot(found, picture)
    data.write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables(found):
        console.print(table)
    for sentence in sentences(found):
        click.echo(sentence)
    for file in (picture, data):
        click.echo(file)
    click.echo(f"{time.perf_counter() - started:.0f} s")
