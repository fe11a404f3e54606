"""Plot of training at equal area."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from matplotlib.figure import Figure

from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area.study import Cost
from lowtide_studies.harness.plots import BLUE, DARK, RED, log_scale, save_plot, style_axes

__all__ = ["plot"]


def plot(rows: Sequence[Cost], run: Run, accuracy: float, file: Path) -> None:
    """Draw the time of each candidate at equal area, in units of the time of the reference."""
    targets = list(rows[0].cells)
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(rows)), layout="constrained")
    plots = figure.subplots(1, len(targets), squeeze=False, sharey=True)[0]
    for axes, target in zip(plots, targets, strict=True):
        for beside, color, label in ((False, BLUE, "unit alone"), (True, RED, "with converters and buffers")):
            points = [(row.times(rows[0], target, beside=beside), place) for place, row in enumerate(rows)]
            known = [point for point in points if not isnan(point[0])]
            axes.plot(*zip(*known, strict=True), "o", color=color, alpha=0.8, label=label)
        axes.axvline(1, color=DARK, linewidth=0.8)
        log_scale(axes, "x")
        axes.set_xlabel(f"time to {accuracy:g} % at equal area on {target}, adaptive = 1")
    plots[0].set_yticks(range(len(rows)), [f"{row.candidate.schedule}: {row.candidate.name}" for row in rows])
    plots[0].set_ylim(len(rows) - 0.5, -0.5)
    plots[0].legend(fontsize="small")
    style_axes(*plots)
    save_plot(figure, file, f"Training at equal area: {run.network}, {run.steps} steps")
