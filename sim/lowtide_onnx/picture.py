"""Picture of a report: cycles and error of each layer."""

from pathlib import Path
from typing import TYPE_CHECKING

from lowtide_onnx.errors import MissingPackage

if TYPE_CHECKING:
    from lowtide_onnx.report import Report

__all__ = ["draw"]

COLORS = {
    "array": "#1f6f9f",
    "tile spacing": "#d9a441",
    "loading A": "#c0504d",
    "loading B": "#8c3b38",
    "results": "#3a8f5c",
    "memory": "#333333",
    "start-up": "#b9c4cc",
}
"""Color of each limit."""


def draw(report: "Report", file: Path) -> None:
    """Draw bars of the cycles in the color of the first limit, and dots of both ratios of signal to noise.

    Raises
    ------
    MissingPackage
        If Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch
    except ModuleNotFoundError as error:
        raise MissingPackage(f"a picture needs {error.name}: pip install 'lowtide[onnx]'") from None
    layers = [one for one in report.layers if one.cost is not None]
    figure = Figure(figsize=(10, 1.6 + 0.22 * len(layers)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = range(len(layers))
    limits = [one.cost.limits[0] for one in layers if one.cost is not None]
    left.barh(
        places, [one.cost.cycles for one in layers if one.cost is not None], color=[COLORS[name] for name in limits]
    )
    left.set_yticks(places, [one.label[-48:] for one in layers], fontsize="small")
    left.set_ylim(len(layers) - 0.5, -0.5)
    left.set_xlabel("cycles")
    left.legend(handles=[Patch(color=COLORS[name], label=name) for name in COLORS if name in limits], fontsize="small")
    right.plot([one.sqnr for one in layers], places, "o", color="#1f6f9f", markersize=4, label="layer")
    right.plot([one.network_sqnr for one in layers], places, "o", color="#c0504d", markersize=4, label="network")
    right.set_xlabel("signal to quantization noise (dB)")
    right.legend(fontsize="small")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis="x", color="#b9c4cc", linewidth=0.5, alpha=0.6)
    figure.suptitle(report.title, fontsize="medium")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
