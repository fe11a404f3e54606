"""The ``equal-area`` command: what training takes on units of one area."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from click.core import ParameterSource
from rich.console import Console
from rich.text import Text

from lowtide.cli.options import Name, Number, OutputFolder, Whole
from lowtide.cli.report import split_targets
from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide.paths import check_output_folder, read_text
from lowtide.synthesis import Cache, versions
from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area.cells import measure_cells
from lowtide_studies.equal_area.study import CANDIDATES, Cells, Cost, check_reference, costs
from lowtide_studies.equal_area.table import equal_area_table
from lowtide_studies.networks.network import NETWORKS
from lowtide_studies.precision_schedules.command import EVALUATE, FOLDER, RATE, SEEDS, STEPS, compare_with_progress
from lowtide_studies.precision_schedules.study import Comparison

__all__ = ["equal_area"]

CACHE = Path("build/cache")
MOST_BYTES = 2**28
"""Most bytes of a file of schedules."""

EXAMPLES = """\b
Examples:
  lowtide equal-area
  lowtide equal-area --accuracy 97 --target ecp5
  lowtide equal-area --schedules build/schedules/schedules-perceptron.json --json
"""


@click.command("equal-area", epilog=EXAMPLES)
@click.option(
    "--schedules",
    "file",
    type=click.Path(path_type=Path),
    help="What `lowtide schedules --json` printed or wrote, instead of training.",
)
@click.option(
    "--network",
    type=Name("network", NETWORKS),
    default="perceptron",
    show_default=True,
    help=f"Of {', '.join(NETWORKS)}.",
)
@click.option("--seeds", type=Whole("seeds", range(1, 1001)), default=SEEDS, show_default=True, help="As of schedules.")
@click.option(
    "--accuracy",
    type=Number("accuracy", 0, 100, closed=True),
    default=96.0,
    show_default=True,
    help="Per cent that are to be reached.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("xc7", "ecp5"),
    callback=split_targets,
    metavar="TARGET,...",
    help=f"FPGA families, of {', '.join(TARGETS)}; xc7 and ecp5 by default. Repeatable.",
)
@click.option(
    "--processes", type=Whole("processes", range(1, 257)), default=2, show_default=True, help="Runs at a time."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of tables.")
@click.option(
    "--folder",
    type=OutputFolder("folder"),
    default=FOLDER,
    show_default=True,
    help="Where finished runs are, those of schedules too.",
)
def equal_area(
    file: Path | None,
    network: str,
    seeds: int,
    accuracy: float,
    targets: list[str],
    processes: int,
    as_json: bool,
    folder: Path,
) -> None:
    """Compare what training takes at equal area.

    Cells of a multiply-accumulate unit, times the cycles that one of it works until training reaches an accuracy: a
    unit of half the cells stands twice in the same area. Schedules of precision and baselines are those that `lowtide
    schedules` trains, cells are those that `lowtide report` counts, without DSP blocks. A first table has the units
    alone; a second one also what an engine has beside its array, for all that needs converters to block floating point.
    """
    context = click.get_current_context()
    for option in ("network", "seeds") if file else ():
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{option} is not for --schedules, whose file has it", context)
    check_output_folder(CACHE)
    if file is None:
        names = tuple(dict.fromkeys(candidate.schedule for candidate in CANDIDATES))
        runs = {name: Run(network=network, schedule=name, steps=STEPS, rate=RATE, evaluate=EVALUATE) for name in names}
        found = compare_with_progress(runs, seeds, processes, folder)
    else:
        found = _read(file)
    check_reference(found, accuracy / 100)
    run = next(iter(found.runs.values()))
    cells = _measure_with_progress(run.config, targets)
    rows = costs(found, cells, accuracy / 100)
    if as_json:
        click.echo(json.dumps(_plain(found, rows, accuracy), indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    for beside in (False, True):
        console.print(equal_area_table(rows, run, accuracy, beside=beside))
    click.echo(", ".join(f"{tool} {version}" for tool, version in versions().items()))


def _read(file: Path) -> Comparison:
    text = read_text(file, MOST_BYTES)
    try:
        found = Comparison.from_json(json.loads(text))
        # All that is read of it later: what is missing or of another kind shows before cells are measured.
        costs(found, {candidate.name: {} for candidate in CANDIDATES}, 0.0)
        for schedule in found.outcomes:
            found.accuracy(schedule)
        next(iter(found.runs.values()))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError):
        raise CommandError(f"cannot read {file}: it is not what `lowtide schedules --json` printed") from None
    return found


def _measure_with_progress(config: Config, targets: Sequence[str]) -> dict[str, dict[str, Cells]]:
    """Measure, with a line on stderr that says what is going on, where stderr is a terminal."""
    with Console(stderr=True).status("starting") as status:
        return measure_cells(config, targets, cache=Cache(CACHE), progress=lambda words: status.update(Text(words)))


def _plain(found: Comparison, rows: Sequence[Cost], accuracy: float) -> dict[str, Any]:
    """Everything but the runs, as plain values; what is not reached is null."""
    run = next(iter(found.runs.values()))
    return {
        "versions": versions(),
        "network": run.network,
        "steps": run.steps,
        "seeds": list(found.seeds),
        "accuracy": accuracy,
        "rows": [_plain_row(row, rows[0], found) for row in rows],
    }


def _plain_row(row: Cost, reference: Cost, found: Comparison) -> dict[str, Any]:
    plain: dict[str, Any] = attrs.asdict(row) | {"accuracy": found.accuracy(row.candidate.schedule).mean}
    for beside, key in ((False, "without"), (True, "with")):
        plain[key] = {
            target: {
                "cells": cells.total(beside),
                "area_time": _known(row.area_time(target, beside=beside)),
                "times": _known(row.times(reference, target, beside=beside)),
            }
            for target, cells in row.cells.items()
        }
    return plain | {"cycles": _known(row.cycles)}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
