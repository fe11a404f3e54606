"""The style of all plots."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["BLUE", "DARK", "GREEN", "GREY", "PALE", "RED", "YELLOW", "save_plot", "style_axes"]

BLUE, PALE, GREY, DARK = "#1f6f9f", "#d6e4ec", "#b9c4cc", "#333333"
RED, GREEN, YELLOW = "#c0504d", "#3a8f5c", "#d9a441"


def style_axes(*plots: Axes, grid: str = "both") -> None:
    """Two spines, and a pale grid behind the data."""
    for axes in plots:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis=grid, color=GREY, linewidth=0.5, alpha=0.6)


def save_plot(figure: Figure, file: Path, title: str | None = None) -> None:
    """Write a figure in the format of the file's suffix, with its folder."""
    if title is not None:
        figure.suptitle(title, fontsize="medium")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
