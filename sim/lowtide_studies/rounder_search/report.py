"""Pareto fronts, table, plot and verdict of a search."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter
from rich.table import Table

from lowtide_studies.harness.plots import BLUE, DARK, GRAY, RED, save_plot, style_axes
from lowtide_studies.harness.tables import new_table
from lowtide_studies.rounder_search.design import PLATEAU
from lowtide_studies.rounder_search.search import Tried

__all__ = [
    "better_than_plateau",
    "dominates",
    "front",
    "front_of_area_and_bias",
    "plot",
    "sentence",
    "to_plain",
    "to_table",
]

AREA_AND_BIAS = slice(0, 3)
"""Objectives in which designs are compared with the plateau."""


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether no figure is larger, and at least one figure is smaller."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front(designs: Sequence[Tried]) -> list[Tried]:
    """Designs that no other dominates, the smallest first; of designs with equal figures the first trial."""
    values = np.array([tried.figures.values for tried in designs])
    found: dict[tuple[float, ...], Tried] = {}
    for tried, own in zip(designs, values, strict=True):
        dominated = ((values <= own).all(axis=1) & (values < own).any(axis=1)).any()
        if not dominated:
            found.setdefault(tried.figures.values, tried)
    return sorted(found.values(), key=lambda tried: tried.figures.values)


def front_of_area_and_bias(designs: Sequence[Tried]) -> list[Tried]:
    """Of the front, designs that no other dominates in area and bias alone; of equal ones the least correlated."""
    values = [tried.figures.values[AREA_AND_BIAS] for tried in designs]
    found: dict[tuple[float, ...], Tried] = {}
    for tried in front(designs):
        own = tried.figures.values[AREA_AND_BIAS]
        if not any(dominates(other, own) for other in values):
            found.setdefault(own, tried)
    return list(found.values())


def better_than_plateau(designs: Sequence[Tried]) -> list[Tried]:
    """Designs that dominate the plateau in area and bias; first those that dominate in all figures, then the smallest.

    Without the plateau among the designs, the list is empty.
    """
    plateau = [tried.figures.values for tried in designs if tried.baseline == PLATEAU]
    if not plateau:
        return []
    found = [t for t in designs if dominates(t.figures.values[AREA_AND_BIAS], plateau[0][AREA_AND_BIAS])]
    return sorted(found, key=lambda t: (not dominates(t.figures.values, plateau[0]), t.figures.values))


def to_table(designs: Sequence[Tried], target: str, accuracy: Mapping[int, float]) -> Table:
    """Baselines, then the front of area and bias; accuracies are given by the numbers of trials."""
    chosen = front_of_area_and_bias(designs)
    headings = ("Cells", "Mean bias", "Worst bias", "Lag\ncorrelation", "Lane\ncorrelation")
    title = (
        f"Stochastic rounding units on {target}: {len(designs)} designs, {len(front(designs))} on the Pareto front,"
        f" {len(chosen)} on the front of area and bias"
    )
    caption = "Cells: LUT + FF per rounder. Bias in units of the last kept bit. Correlation: root mean square."
    table = new_table(title, ("Design",), headings + ("Accuracy",) * bool(accuracy), caption)
    for tried in designs:
        if tried.baseline:
            table.add_row(f"[bold]{tried.baseline}[/]: {tried.design}", *_texts(tried, accuracy))
    table.add_section()
    for tried in chosen:
        table.add_row(str(tried.design), *_texts(tried, accuracy))
    return table


def to_plain(designs: Sequence[Tried], accuracy: Mapping[int, float]) -> list[dict[str, Any]]:
    """Plain values of all designs."""
    on_front = {tried.number for tried in front(designs)}
    on_short = {tried.number for tried in front_of_area_and_bias(designs)}
    better = {tried.number for tried in better_than_plateau(designs)}
    return [
        {
            "trial": tried.number,
            "baseline": tried.baseline or None,
            "front": tried.number in on_front,
            "front_of_area_and_bias": tried.number in on_short,
            "better_than_plateau": tried.number in better,
            **attrs.asdict(tried.design),
            "seeds": [source.seed for source in tried.design.sources],
            **attrs.asdict(tried.figures),
            "accuracy": accuracy.get(tried.number),
        }
        for tried in designs
    ]


def sentence(designs: Sequence[Tried]) -> str:
    """The designs that dominate the 3-bit plateau."""
    better = better_than_plateau(designs)
    if not better:
        return f"No design dominates the {PLATEAU} in area and bias; try more --trials."
    best, plateau = better[0], next(tried for tried in designs if tried.baseline == PLATEAU)
    one, other = best.figures, plateau.figures
    return (
        f"{len(better)} designs dominate the {PLATEAU} in area and bias. The best is {best.design}:"
        f" {one.cells:.2f} cells per rounder (plateau: {other.cells:.2f}),"
        f" worst bias {one.worst_bias:.4f} ({other.worst_bias:.4f}),"
        f" mean bias {one.mean_bias:+.1e} ({other.mean_bias:+.1e})."
    )


def _texts(tried: Tried, accuracy: Mapping[int, float]) -> list[str]:
    figures = tried.figures
    trained = [f"{100 * accuracy[tried.number]:.1f} %"] if tried.number in accuracy else []
    return [
        f"{figures.cells:.2f}",
        f"{figures.mean_bias:+.1e}",
        f"{figures.worst_bias:.1e}",
        f"{figures.lag:.3f}",
        f"{figures.lane:.3f}",
        *trained,
    ]


BETTER = "best that dominates the plateau"


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
