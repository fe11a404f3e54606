"""Picture of a report: cycles and error of each layer."""

from collections.abc import Sequence
from pathlib import Path

from lowtide_onnx.errors import MissingPackage
from lowtide_onnx.layer_report import LayerReport

__all__ = ["draw"]

BLUE, RED, GRAY = "#1f6f9f", "#c0504d", "#b9c4cc"
COLORS = {
    "array": BLUE,
    "tile spacing": "#d9a441",
    "loading A": RED,
    "loading B": "#8c3b38",
    "results": "#3a8f5c",
    "start-up": GRAY,
}
"""Color of each limit."""


def draw(title: str, reports: Sequence[LayerReport], file: Path) -> None:
    """Draw bars of the cycles in the color of the first limit, and dots of both ratios of signal to noise.

    Layers on the host are omitted.

    Raises
    ------
    MissingPackage
        If Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # takes a second to import
        from matplotlib.patches import Patch
    except ModuleNotFoundError as error:
        raise MissingPackage(f"a picture needs {error.name}: pip install 'lowtide[onnx]'") from None
    layers = [one for one in reports if one.cost is not None]
    costs = [one.cost for one in layers if one.cost is not None]
    limits, places = [cost.limits[0] for cost in costs], range(len(layers))
    figure = Figure(figsize=(10, 1.6 + 0.22 * len(layers)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.barh(places, [cost.cycles for cost in costs], color=[COLORS[name] for name in limits])
    left.set_yticks(places, [one.label[-48:] for one in layers], fontsize="small")
    left.set_ylim(max(len(layers), 1) - 0.5, -0.5)
    left.set_xlabel("cycles")
    patches = [Patch(color=color, label=name) for name, color in COLORS.items() if name in limits]
    left.legend(handles=patches, fontsize="small")
    right.plot([one.sqnr for one in layers], places, "o", color=BLUE, markersize=4, label="layer")
    right.plot([one.network_sqnr for one in layers], places, "o", color=RED, markersize=4, label="network")
    right.set_xlabel("signal to quantization noise (dB)")
    right.legend(fontsize="small")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis="x", color=GRAY, linewidth=0.5, alpha=0.6)
    figure.suptitle(title, fontsize="medium")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
