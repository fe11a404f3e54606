"""``lowtide study equal-area``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from click.core import ParameterSource

from lowtide.cli.options import Name, Number
from lowtide.cli.report import liberty_option, split_targets, with_library
from lowtide.errors import CommandError
from lowtide.paths import check_output_folder, read_text
from lowtide.synthesis import Library
from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.equal_area.cells import CANDIDATES, measure_cells
from lowtide_studies.equal_area.report import equal_area_table, plot
from lowtide_studies.equal_area.study import Cost, check_reference, costs
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, typed_option
from lowtide_studies.networks.network import NETWORKS
from lowtide_studies.precision_schedules.study import QUICK_SEEDS, QUICK_STEPS, SEEDS, USUAL, Comparison, compare

__all__ = ["command"]

QUICK_ACCURACY = 50.0
MOST_BYTES = 2**28
"""Most bytes of a file of schedules."""

EXAMPLES = """\b
Examples:
  lowtide study equal-area
  lowtide study equal-area --accuracy 97 --target ecp5
  lowtide study equal-area --schedules build/studies/precision-schedules.json --json
"""


@click.command("equal-area", epilog=EXAMPLES)
@click.option(
    "--schedules",
    "file",
    type=click.Path(path_type=Path),
    help="JSON of `lowtide study precision-schedules`, instead of training.",
)
@typed_option(Name("network", NETWORKS), "perceptron", f"Network: {', '.join(NETWORKS)}.")
@typed_option(Number("accuracy", 0, 100, closed=True), 96.0, "Accuracy to reach, in per cent.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("xc7", "ecp5"),
    callback=split_targets,
    metavar="TARGET,...",
    help=f"FPGA families {', '.join(TARGETS)}, or cmos; xc7 and ecp5 by default. Repeatable.",
)
@liberty_option
@study_options(
    "equal-area",
    seeds=SEEDS,
    storage="precision-schedules",
    quick=f"{QUICK_SEEDS} seeds, {QUICK_STEPS} steps, {QUICK_ACCURACY:g} % accuracy, one target",
)
def command(
    options: StudyOptions,
    file: Path | None,
    network: str,
    accuracy: float,
    targets: list[str],
    library: Library | None,
) -> None:
    """Compare training time at equal area.

    The cost of a unit is its cells times the cycles until training reaches an accuracy: a unit of half the size fits
    twice into the same area. Schedules and baselines are trained as in `lowtide study precision-schedules`, which
    shares its finished runs. Cells are counted as in `lowtide report`, without DSP blocks. On a chip,
    transistors or gate equivalents take the place of cells, and memories are excluded. The first table has the units
    alone. The second table adds the parts of an engine beside its array, for units that need converters to block
    floating point.
    """
    context = click.get_current_context()
    for option in ("network", "seeds") if file else ():
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{option} conflicts with --schedules, whose file sets it", context)
    check_output_folder(CACHE)
    targets = with_library(targets, library)
    seeds, steps = options.seeds, USUAL.steps
    if options.quick:
        seeds, steps = min(seeds, QUICK_SEEDS), QUICK_STEPS
        accuracy, targets = min(accuracy, QUICK_ACCURACY), targets[:1]
    if file is None:
        names = tuple(dict.fromkeys(candidate.schedule for candidate in CANDIDATES))
        runs = {name: attrs.evolve(USUAL, network=network, schedule=name, steps=steps) for name in names}
        found = compare(runs, range(seeds), options.runner("precision-schedules"))
    else:
        found = _read(file)
    check_reference(found, accuracy / 100)
    run = next(iter(found.runs.values()))
    cells = measure_cells(run.config, targets, options.runner("equal-area"), library)
    rows = costs(found, cells, accuracy / 100)
    options.report(
        settings={"network": run.network, "steps": run.steps, "seeds": list(found.seeds), "accuracy": accuracy},
        rows=_plain(rows, found),
        tables=[equal_area_table(rows, run, accuracy, beside=beside) for beside in (False, True)],
        draw=lambda image: plot(rows, run, accuracy, image),
    )


def _read(file: Path) -> Comparison:
    text = read_text(file, MOST_BYTES)
    try:
        found = Comparison.from_json(json.loads(text))
        # Read everything that is needed later, so that a wrong file is refused before synthesis.
        costs(found, {candidate.name: {} for candidate in CANDIDATES}, 0.0)
        for schedule in found.outcomes:
            found.accuracy(schedule)
        next(iter(found.runs.values()))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError):
        raise CommandError(
            f"cannot read {file}: not JSON of precision schedules; write it with `lowtide study precision-schedules`"
        ) from None
    return found


def _plain(rows: Sequence[Cost], found: Comparison) -> list[dict[str, Any]]:
    """Plain values of all figures; NaN if no seed reaches the accuracy."""
    return [
        attrs.asdict(row)
        | {"accuracy": found.accuracy(row.candidate.schedule).mean}
        | {
            key: {
                target: {
                    "cells": cells.total(beside),
                    "area_time": row.area_time(target, beside=beside),
                    "times": row.times(rows[0], target, beside=beside),
                    "times_error": row.times_error(rows[0], target, beside=beside),
                }
                for target, cells in row.cells.items()
            }
            for beside, key in ((False, "without"), (True, "with"))
        }
        for row in rows
    ]
