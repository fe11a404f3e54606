"""The style of all plots and tables."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from rich.console import Console
from rich.table import Table

__all__ = [
    "BLUE",
    "DARK",
    "GRAY",
    "GREEN",
    "PALE",
    "RED",
    "YELLOW",
    "log_scale",
    "new_table",
    "print_tables",
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


def save_plot(figure: Figure, file: Path, title: str | None = None) -> None:
    """Write a figure in the format of the file's suffix, with its folder."""
    if title is not None:
        figure.suptitle(title, fontsize="medium")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


WIDTH = 250
"""Characters of a line that is not written to a terminal: enough for each table."""


def new_table(title: str, words: Sequence[str], figures: Sequence[str], caption: str | None = None) -> Table:
    """An empty table with left-aligned columns of words, then right-aligned columns of figures."""
    table = Table(title=title, title_justify="left", title_style="bold", caption=caption, caption_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def print_tables(tables: Iterable[Table]) -> None:
    """Print to standard output."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDTH)
    for table in tables:
        if not terminal:
            table.box = None
        console.print(table)
