"""Plot of a comparison."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lowtide_studies.engine_training.plot import share_map
from lowtide_studies.harness.plots import BLUE, DARK, GREEN, RED, YELLOW, save_plot, style_axes
from lowtide_studies.precision_schedules.study import Comparison, Outcome

__all__ = ["plot_comparison"]

COLORS = {
    "fp32": DARK,
    "fixed-4": GREEN,
    "adaptive": BLUE,
    "two-sided": "#7b5aa6",
    "low-then-high": YELLOW,
    "fixed-2": RED,
    "int8": "#8c8c8c",
    "msfp12": "#5fb3b3",
}


def plot_comparison(found: Comparison, file: Path) -> None:
    """Draw final accuracies, accuracy by steps and by beats, and when an adaptive schedule used two chunks."""
    mapped = next((name for name in ("adaptive", "two-sided") if name in found.outcomes), None)
    rows = len(found.outcomes[mapped][0].chunks) if mapped else 0
    height = 0.9 + 0.24 * rows
    figure = Figure(figsize=(12, 3.8 + (height if rows else 0)), layout="constrained")
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.8, height]) if rows else [[figure]]
    final, by_steps, by_beats = parts[0][0].subplots(1, 3, width_ratios=[1, 1.1, 1.1])
    _final(final, found)
    _curves(by_steps, found, beats=False)
    _curves(by_beats, found, beats=True)
    style_axes(final, by_steps, by_beats)
    if mapped:
        outcomes = found.outcomes[mapped]
        shares = {key: np.mean([outcome.chunks[key] for outcome in outcomes], axis=0) - 1 for key in outcomes[0].chunks}
        share_map(parts[1][0].subplots(), shares, f"{mapped}: seeds with two chunks")
    run = next(iter(found.runs.values()))
    images = "validation" if run.validation else "held-out"
    title = f"{run.network}, {len(found.seeds)} seeds: accuracy on {images} digits, mean ± standard error"
    save_plot(figure, file, title)


def _final(axes: Axes, found: Comparison) -> None:
    for y, name in enumerate(found.outcomes):
        color, accuracy, seeds = COLORS.get(name, BLUE), found.accuracy(name), found.accuracies(name)
        axes.plot(seeds, np.full(len(seeds), y), "o", color=color, alpha=0.3, markersize=4, markeredgewidth=0)
        axes.errorbar(accuracy.mean, y, xerr=accuracy.error, fmt="o", color=color, markersize=6, capsize=3)
    axes.set_yticks(range(len(found.outcomes)), list(found.outcomes))
    for label in axes.get_yticklabels():
        label.set_color(COLORS.get(label.get_text(), BLUE))
    axes.set_ylim(len(found.outcomes) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("final accuracy (%)")


def _curves(axes: Axes, found: Comparison, beats: bool) -> None:
    """Mean accuracy by steps or by beats, in the colors of the names, without its fast rise at the start."""
    lowest, highest = 100.0, 0.0
    for name, outcomes in found.outcomes.items():
        if beats and not any(outcomes[0].beats):
            continue
        x = _beats(outcomes) if beats else np.array([step for step, _ in outcomes[0].accuracies])
        y = 100 * np.mean([[seen for _, seen in outcome.accuracies] for outcome in outcomes], axis=0)
        axes.plot(x, y, color=COLORS.get(name, BLUE), linewidth=1.4)
        lowest, highest = min(lowest, float(y[-1])), max(highest, float(y.max()))
    axes.set_ylim(lowest - 6, highest + 0.5)
    axes.set_xlabel("pairs of chunks (millions)" if beats else "steps")
    axes.set_ylabel("accuracy (%)")
    axes.set_xlim(0)


def _beats(outcomes: Sequence[Outcome]) -> np.ndarray:
    totals = np.mean([np.cumsum(outcome.beats) for outcome in outcomes], axis=0) / 1e6
    return totals[[int(step) - 1 for step, _ in outcomes[0].accuracies]]
