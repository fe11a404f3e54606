"""Table, plain values and verdict of a search."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from rich.table import Table

from lowtide_studies.harness.tables import new_table
from lowtide_studies.rounder_search.front import better_than_plateau, front, front_of_area_and_bias
from lowtide_studies.rounder_search.search import Tried
from lowtide_studies.rounder_search.space import PLATEAU

__all__ = ["sentence", "to_plain", "to_table"]


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
