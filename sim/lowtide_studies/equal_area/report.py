"""Tables and plot of training at equal area."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area.study import Cost
from lowtide_studies.harness.plots import BLUE, DARK, RED, label_rows, log_scale, save_plot, style_axes
from lowtide_studies.harness.tables import new_table, with_error

__all__ = ["equal_area_table", "plot"]


def equal_area_table(rows: Sequence[Cost], run: Run, accuracy: float, *, beside: bool) -> Table:
    """One row per candidate, the reference first; with ``beside``, the other parts of the engine are counted."""
    reference, targets = rows[0], list(rows[0].cells)
    headings = (
        *(f"Cells,\n{target}" for target in targets),
        "Cycles,\nmillions",
        *(heading for target in targets for heading in (f"Cells × cycles,\n{target}, 10⁹", "Times")),
        "Seeds that\nreach it",
    )
    converters = f"{'with' if beside else 'without'} converters and buffers"
    title = f"{run.network}, {run.steps} steps: cells × cycles to {accuracy:g} %, {converters}"
    caption = f"Times: cells × cycles relative to {reference.candidate.schedule}. ±: standard error over the seeds"
    table = new_table(title, ("Schedule", "Unit"), headings, caption)
    for row in rows:
        style = "bold" if row is reference else ""
        table.add_row(row.candidate.schedule, row.candidate.name, *_figures(row, reference, beside), style=style)
    return table


def _figures(row: Cost, reference: Cost, beside: bool) -> list[str]:
    cells = [f"{its.total(beside):,.0f}" for its in row.cells.values()]
    figures = ["" if isnan(row.cycles) else with_error(f"{row.cycles / 1e6:.1f}", row.error / 1e6, ".1f")]
    for target in row.cells:
        if isnan(row.cycles):
            figures += ["", ""]
        else:
            product = f"{row.area_time(target, beside=beside) / 1e9:.2f}"
            times, error = (of(reference, target, beside=beside) for of in (row.times, row.times_error))
            figures += [product, "" if row is reference else with_error(f"{times:.2f}", error)]
    return [*cells, *figures, f"{row.reached} of {row.seeds}"]


def plot(rows: Sequence[Cost], run: Run, accuracy: float, file: Path) -> None:
    """Draw the time of each candidate at equal area, in units of the time of the reference."""
    targets = list(rows[0].cells)
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(rows)), layout="constrained")
    plots = figure.subplots(1, len(targets), squeeze=False, sharey=True)[0]
    for axes, target in zip(plots, targets, strict=True):
        for beside, color, label in ((False, BLUE, "unit alone"), (True, RED, "with converters and buffers")):
            known = [(place, row) for place, row in enumerate(rows) if not isnan(row.cycles)]
            times = [row.times(rows[0], target, beside=beside) for _, row in known]
            errors = [row.times_error(rows[0], target, beside=beside) for _, row in known]
            places = [place for place, _ in known]
            axes.errorbar(times, places, xerr=errors, fmt="o", color=color, alpha=0.8, label=label, capsize=2)
        axes.axvline(1, color=DARK, linewidth=0.8)
        log_scale(axes, "x")
        axes.set_xlabel(f"time to {accuracy:g} % at equal area on {target}, adaptive = 1")
    label_rows(plots[0], [f"{row.candidate.schedule}: {row.candidate.name}" for row in rows])
    plots[0].legend(fontsize="small")
    style_axes(*plots)
    save_plot(figure, file, f"Training at equal area: {run.network}, {run.steps} steps")
