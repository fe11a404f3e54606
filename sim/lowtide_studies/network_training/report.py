"""Tables and plot of the study."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from lowtide_studies.harness.plots import BLUE, DARK, GREEN, RED, YELLOW, label_rows, log_scale, save_plot, style_axes
from lowtide_studies.harness.tables import counted, mean_and_error, new_table, signed_and_error
from lowtide_studies.network_training.formats import BASELINE
from lowtide_studies.network_training.study import FORMS, Comparison, Cost
from lowtide_studies.network_training.training import QUANTILES
from lowtide_torch.settings import KINDS

__all__ = ["cost_table", "improvement_table", "plot", "quality_table"]

COLORS = {
    "fp32": DARK,
    "bf16": "#8c6d46",
    "int8": "#8c8c8c",
    "msfp12": "#5fb3b3",
    "fixed-4": GREEN,
    "fixed-2": RED,
    "adaptive": BLUE,
    "adaptive-weights": "#1f3d7a",
    "two-sided": "#7b5aa6",
    "low-then-high": "#5a7d2a",
    "weights-2": "#d98f4e",
    "fixed-4-2": "#c58fb0",
}
TIMES = {"beats": ("unit alone", BLUE), "packed": ("engine, packed operands", YELLOW), "fp32": ("FP32 operands", RED)}


def _title(found: Comparison) -> str:
    run = found.run
    return f"{run.network} of width {run.width}, {found.data}, {counted(run.epochs, 'epoch')}"


def _metric(found: Comparison) -> str:
    return "Perplexity" if found.run.text else "Accuracy\n%"


def quality_table(found: Comparison) -> Table:
    """One row per format: quality on the test data, and beats per pair of groups."""
    last = f"{_metric(found).partition(chr(10))[0]},\nvalidation"
    headings = (_metric(found), "Minus FP32,\npaired", last, "Training\nloss", "Beats\nper pair", "Seeds")
    run = found.run
    title = (
        f"{_title(found)}, batches of {run.batch}, rate {run.rate:g}, {counted(len(found.seeds), 'seed')}; on test data"
    )
    table = new_table(title, ("Format",), headings)
    for form, outcomes in found.outcomes.items():
        difference, beats = found.difference(form), found.beats_per_pair(form)
        lasts = [one.evaluations[-1] for one in outcomes if one.evaluations]
        table.add_row(
            form,
            _mean(found, form),
            ""
            if difference is None or form == BASELINE or math.isnan(difference.mean)
            else signed_and_error(difference),
            f"{np.mean([one.quality for one in lasts]):.2f}" if lasts else "",
            f"{np.mean([one.loss for one in lasts]):.3f}" if lasts else "",
            "" if math.isnan(beats) else f"{beats:.2f}",
            f"{sum(one.finite for one in outcomes)} of {len(outcomes)}",
        )
    return table


def _mean(found: Comparison, form: str) -> str:
    summary = found.quality(form)
    if math.isnan(summary.mean):
        return "not finite"
    return mean_and_error(summary)


def improvement_table(found: Comparison) -> Table | None:
    """One row per format that measures the relative improvement; None without such a format."""
    measured = {form: found.improvements(form) for form in found.outcomes if found.improvements(form)}
    if not measured:
        return None
    ranks = ", ".join(f"{100 * rank:g} %" for rank in QUANTILES)
    title = (
        f"{_title(found)}: relative improvement after {1 / found.run.evaluations:.2g} of an epoch;"
        f" {ranks} of the operands are lower"
    )
    table = new_table(title, ("Format",), KINDS)
    for form, kinds in measured.items():
        table.add_row(form, *(" ".join(f"{value:.2f}" for value in kinds.get(kind, [])) for kind in KINDS))
    return table


def cost_table(found: Comparison, rows: Sequence[Cost], target: str) -> Table:
    """One row per unit: time to the target, and cells times cycles relative to the reference."""
    headings = (
        "Cells,\nunit",
        "Cells,\nrest",
        "Epochs",
        *(f"Mcycles,\n{TIMES[form][0]}" for form in FORMS),
        *(f"Times,\n{TIMES[form][0]}" for form in FORMS),
        "Seeds that\nreach it",
    )
    sign = "at most" if found.run.text else "at least"
    title = f"{_title(found)}: time to a validation quality of {sign} {found.target or math.nan:.2f}"
    caption = (
        f"Cycles of 64 units. Cells on {target}. Times: cells × cycles relative to {found.reference}; for an engine,"
        " with the cells of its other parts. Each unit of fp32 and bf16 has 1 product per cycle and never waits,"
        " except where it loads as int8: bf16 needs at least this time and these other parts."
    )
    table = new_table(title, ("Format", "Unit"), headings, caption)
    for row in rows:
        cells = ("", "") if row.cells is None else (f"{row.cells.unit:,.0f}", f"{row.cells.beside:,.0f}")
        times = [_number(_relative(row, rows[0], found, form), ".2f") for form in FORMS]
        cycles = [_number(row.cycles[form] / 1e6, ",.1f") if form in row.forms else "" for form in FORMS]
        reached = f"{row.reached} of {len(found.seeds)}"
        style = "bold" if row is rows[0] else ""
        figures = (*cells, _number(row.epochs, ".2f"), *cycles, *times, reached)
        table.add_row(row.format, row.unit.name, *figures, style=style)
    return table


def _relative(row: Cost, reference: Cost, found: Comparison, form: str) -> float:
    if reference.format != found.reference:
        return math.nan
    return row.area_time(form) / reference.area_time(form)


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:{form}}"


def plot(found: Sequence[Comparison], costs: Sequence[Sequence[Cost]], file: Path) -> None:
    """Draw the quality over the epochs, and the time to the target at equal area, network by network."""
    known = [
        any(not math.isnan(_relative(row, rows[0], comparison, "beats")) for row in rows)
        for comparison, rows in zip(found, costs, strict=True)
    ]
    columns = 2 if any(known) else 1
    figure = Figure(figsize=(6 * columns, 3.6 * len(found)), layout="constrained")
    plots = figure.subplots(len(found), columns, squeeze=False)
    for comparison, rows, axes in zip(found, costs, plots, strict=True):
        _curves(axes[0], comparison)
        if columns == 2:
            _times(axes[1], comparison, rows)
        style_axes(*axes)
    seeds = counted(len(found[0].seeds), "seed")
    times = ", and time at equal area" if columns == 2 else ""
    save_plot(figure, file, f"Training of networks, {seeds}: quality on validation data{times}")


def _curves(axes: Axes, found: Comparison) -> None:
    for form, epochs, values in _lines(found):
        axes.plot(epochs, values, "o-", color=COLORS[form], linewidth=1.4, markersize=3, label=form)
    if found.target is not None:
        axes.axhline(found.target, color=DARK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("epochs")
    axes.set_ylabel("perplexity" if found.run.text else "accuracy (%)")
    axes.set_title(f"{found.run.network}, {found.data}", fontsize="medium")
    axes.legend(fontsize="small", ncols=2)


def _lines(found: Comparison) -> Iterator[tuple[str, list[float], np.ndarray]]:
    """Means over the seeds, as far as all seeds were trained."""
    for form, outcomes in found.outcomes.items():
        count = min(len(one.evaluations) for one in outcomes)
        if count:
            epochs = [one.epoch for one in outcomes[0].evaluations[:count]]
            yield form, epochs, np.mean([[e.quality for e in one.evaluations[:count]] for one in outcomes], axis=0)


def _times(axes: Axes, found: Comparison, rows: Sequence[Cost]) -> None:
    for form, (label, color) in TIMES.items():
        points = [(_relative(row, rows[0], found, form), place) for place, row in enumerate(rows)]
        drawn = [point for point in points if not math.isnan(point[0])]
        if drawn:
            axes.plot(*zip(*drawn, strict=True), "o", color=color, alpha=0.8, label=label)
    axes.axvline(1, color=DARK, linewidth=0.8)
    log_scale(axes, "x")
    axes.set_xlabel(f"time to the target at equal area, {found.reference} = 1")
    label_rows(axes, [f"{row.format}: {row.unit.name}" for row in rows], fontsize="small")
    axes.legend(fontsize="small")
