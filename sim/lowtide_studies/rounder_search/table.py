"""What a search found, as a table and as plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from rich.table import Table

from lowtide_studies.rounder_search.front import better_than_plateau, front, front_of_area_and_bias
from lowtide_studies.rounder_search.search import Tried
from lowtide_studies.rounder_search.space import PLATEAU

__all__ = ["sentence", "to_plain", "to_table"]


def to_table(designs: Sequence[Tried], target: str, accuracy: Mapping[int, float]) -> Table:
    """Baselines, and below them the front of area and bias; with accuracies by the trial's number, if there are any."""
    chosen = front_of_area_and_bias(designs)
    table = Table(
        title=f"Stochastic rounding units on {target}: {len(designs)} designs, {len(front(designs))} of them on the"
        f" front, {len(chosen)} on that of area and bias",
        title_justify="left",
        caption="Cells: LUT + FF a rounder. Bias in units of the last bit kept. Correlation: root mean square.",
        caption_justify="left",
    )
    table.add_column("design")
    headings = ("cells", "mean bias", "worst bias", "lag corr.", "lane corr.", *["accuracy"] * bool(accuracy))
    for heading in headings:
        table.add_column(heading, justify="right")
    for tried in designs:
        if tried.baseline:
            table.add_row(f"[bold]{tried.baseline}[/]: {tried.design}", *_texts(tried, accuracy))
    table.add_section()
    for tried in chosen:
        table.add_row(str(tried.design), *_texts(tried, accuracy))
    return table


def to_plain(designs: Sequence[Tried], accuracy: Mapping[int, float]) -> dict[str, Any]:
    """The same with all that was tried, as plain values."""
    on_front = {tried.number for tried in front(designs)}
    on_short = {tried.number for tried in front_of_area_and_bias(designs)}
    better = {tried.number for tried in better_than_plateau(designs)}
    return {
        "designs": [
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
    }


def sentence(designs: Sequence[Tried]) -> str:
    """Whether something is better than the 3-bit plateau, and what."""
    better = better_than_plateau(designs)
    if not better:
        return f"Nothing yet dominates the {PLATEAU} in area and bias; try more --trials."
    best, plateau = better[0], next(tried for tried in designs if tried.baseline == PLATEAU)
    return (
        f"{len(better)} designs dominate the {PLATEAU} in area and bias. First of them: {best.design}:"
        f" {best.figures.cells:.2f} cells a rounder against {plateau.figures.cells:.2f},"
        f" worst bias {best.figures.worst_bias:.4f} against {plateau.figures.worst_bias:.4f},"
        f" mean {best.figures.mean_bias:+.1e} against {plateau.figures.mean_bias:+.1e}."
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
