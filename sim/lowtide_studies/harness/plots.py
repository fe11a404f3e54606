"""The style of all plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lowtide_studies.harness.statistics import Summary

__all__ = [
    "BLUE",
    "DARK",
    "GRAY",
    "GREEN",
    "PALE",
    "RED",
    "YELLOW",
    "draw_seeds",
    "label_rows",
    "log_scale",
    "save_plot",
    "style_axes",
]

BLUE, PALE, GRAY, DARK = "#1f6f9f", "#d6e4ec", "#b9c4cc", "#333333"
RED, GREEN, YELLOW = "#c0504d", "#3a8f5c", "#d9a441"


def style_axes(*plots: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Two spines, and a pale grid behind the data."""
    for axes in plots:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis=grid, color=GRAY, linewidth=0.5, alpha=0.6)


def log_scale(axes: Axes, which: str) -> None:
    """Give the ``x`` or the ``y`` axis a logarithmic scale with plain numbers at 1, 2 and 5."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def label_rows(axes: Axes, labels: Sequence[str], **style: Any) -> None:
    """Label the places 0, 1, … of the y axis, from top to bottom."""
    axes.set_yticks(range(len(labels)), labels, **style)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def draw_seeds(axes: Axes, y: int, values: Sequence[float] | np.ndarray, summary: Summary, color: str) -> None:
    """Draw one pale dot per seed, and the mean with its standard error."""
    axes.plot(values, np.full(len(values), y), "o", color=color, alpha=0.3, markersize=4, markeredgewidth=0)
    axes.errorbar(summary.mean, y, xerr=summary.error, fmt="o", color=color, markersize=6, capsize=3)


def save_plot(figure: Figure, file: Path, title: str | None = None) -> None:
    """Write a figure in the format of the file's suffix, with its folder."""
    if title is not None:
        figure.suptitle(title, fontsize="medium")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
