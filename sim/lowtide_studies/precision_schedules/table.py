"""Table of a comparison."""

import math

from rich.table import Table

from lowtide_studies.engine_training.tensor_use import KINDS
from lowtide_studies.harness.statistics import mean_and_error, signed
from lowtide_studies.harness.tables import new_table
from lowtide_studies.precision_schedules.study import BASELINE, Comparison

__all__ = ["comparison_table"]


def comparison_table(found: Comparison, target: float) -> Table:
    """One row per schedule: means and standard errors over the seeds, and the cost of reaching an accuracy."""
    run = next(iter(found.runs.values()))
    images = "validation images" if run.validation else "held-out images"
    headings = (
        "Accuracy\n%",
        "Minus FP32,\npaired",
        "Training\nloss",
        "Beats\nper pair",
        *(f"Two chunks,\n{kind}" for kind in KINDS),
        f"Steps to\n{target:g} %",
        f"Beats to {target:g} %,\nmillions",
        "Seeds that\nreach it",
    )
    title = (
        f"{run.network}, {run.steps} steps of {run.batch} images, rate {run.rate:g}, {len(found.seeds)} seeds,"
        f" evaluated every {run.evaluate} steps; accuracy on {images}"
    )
    table = new_table(title, ("Schedule",), headings)
    for name in found.outcomes:
        table.add_row(name, *_row(found, name, target / 100), style="bold" if name == BASELINE else "")
    return table


def _row(found: Comparison, name: str, target: float) -> list[str]:
    accuracy, difference = found.accuracy(name), found.difference(name)
    outcomes = found.outcomes[name]
    steps, count = found.reached(name, lambda outcome: outcome.steps_to(target))
    beats, _ = found.reached(name, lambda outcome: outcome.beats_to(target))
    return [
        mean_and_error(accuracy),
        "" if difference is None or name == BASELINE else f"{signed(difference.mean)} ± {difference.error:.2f}",
        f"{_mean([outcome.loss for outcome in outcomes]):.4f}",
        _number(_mean([outcome.beats_per_pair for outcome in outcomes]), ".2f"),
        *(_number(100 * _mean([outcome.high(kind) for outcome in outcomes]), ".0f", " %") for kind in KINDS),
        _number(steps, ".0f"),
        _number(beats / 1e6, ".1f"),
        f"{count} of {len(outcomes)}",
    ]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _number(value: float, form: str, unit: str = "") -> str:
    return "" if math.isnan(value) else f"{value:{form}}{unit}"
