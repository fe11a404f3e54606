"""Plot of a search."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from lowtide_studies.harness.plots import BLUE, DARK, GRAY, RED, save_plot, style_axes
from lowtide_studies.rounder_search.front import better_than_plateau, front, front_of_area_and_bias
from lowtide_studies.rounder_search.search import Tried

__all__ = ["plot"]

BETTER = "dominates the plateau"


def plot(designs: Sequence[Tried], target: str, file: Path) -> None:
    """Draw worst bias and correlation of lanes over area: all designs, the front, and the baselines."""
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots(1, 2)
    baselines = [tried for tried in designs if tried.baseline]
    kinds = [
        (designs, {"color": GRAY, "s": 12, "label": "all designs"}),
        (front(designs), {"color": BLUE, "s": 12, "label": "on the Pareto front"}),
        (front_of_area_and_bias(designs), {"color": BLUE, "s": 45, "label": "on the front of area and bias"}),
        (baselines, {"color": RED, "s": 40, "marker": "D", "label": "baselines"}),
        (better_than_plateau(designs)[:1], {"facecolor": "none", "edgecolor": DARK, "s": 140, "label": BETTER}),
    ]
    panels = [("worst_bias", "worst bias (units of the last kept bit)"), ("lane", "correlation between lanes (RMS)")]
    for place, (name, label) in zip(axes, panels, strict=True):
        for chosen, style in kinds:
            points = [(tried.figures.cells, getattr(tried.figures, name)) for tried in chosen]
            place.scatter(*zip(*points, strict=True) if points else ([], []), **style)
        for number, tried in enumerate(baselines):
            place.annotate(
                tried.baseline,
                (tried.figures.cells, getattr(tried.figures, name)),
                xytext=(0, 8 + 11 * (number % 2)),
                textcoords="offset points",
                ha="center",
                color=RED,
                fontsize=8,
            )
        place.set_xscale("log")
        place.set_yscale("log")
        place.xaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50, 100]))
        place.xaxis.set_major_formatter(ScalarFormatter())
        place.xaxis.set_minor_locator(NullLocator())
        place.set_xlabel(f"LUT + FF per rounder on {target}")
        place.set_ylabel(label)
    style_axes(*axes)
    axes[0].legend(loc="lower left", frameon=False, fontsize=9)
    save_plot(figure, file, "Search for stochastic rounders: bias and correlation by area")
