"""Table and plot of a comparison."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table

from lowtide_studies.engine_training.report import share_map
from lowtide_studies.engine_training.schedule import KINDS
from lowtide_studies.harness.plots import BLUE, DARK, GREEN, RED, YELLOW, draw_seeds, label_rows, save_plot, style_axes
from lowtide_studies.harness.tables import mean_and_error, new_table, signed_and_error, with_error
from lowtide_studies.precision_schedules.study import BASELINE, Comparison, Outcome

__all__ = ["comparison_table", "plot_comparison"]


def comparison_table(found: Comparison, target: float) -> Table:
    """One row per schedule: means and standard errors over the seeds, and the cost of reaching an accuracy."""
    run = next(iter(found.runs.values()))
    images = "validation images" if run.validation else "held-out images"
    headings = (
        "Accuracy\n%",
        "Minus FP32,\npaired",
        "Training\nloss",
        "Beats\nper pair",
        *(f"Two chunks,\n{kind}" for kind in KINDS),
        f"Steps to\n{target:g} %",
        f"Beats to {target:g} %,\nmillions",
        "Seeds that\nreach it",
    )
    title = (
        f"{run.network}, {run.steps} steps of {run.batch} images, rate {run.rate:g}, {len(found.seeds)} seeds,"
        f" evaluated every {run.evaluate} steps; accuracy on {images}"
    )
    table = new_table(title, ("Schedule",), headings)
    for name in found.outcomes:
        table.add_row(name, *_row(found, name, target / 100), style="bold" if name == BASELINE else "")
    return table


def _row(found: Comparison, name: str, target: float) -> list[str]:
    accuracy, difference = found.accuracy(name), found.difference(name)
    outcomes = found.outcomes[name]
    steps, steps_error, count = found.reached(name, lambda outcome: outcome.steps_to(target))
    beats, beats_error, _ = found.reached(name, lambda outcome: outcome.beats_to(target))
    return [
        mean_and_error(accuracy),
        "" if difference is None or name == BASELINE else signed_and_error(difference),
        f"{fmean([outcome.loss for outcome in outcomes]):.4f}",
        _number(fmean([outcome.beats_per_pair for outcome in outcomes]), ".2f"),
        *(_number(100 * fmean([outcome.high(kind) for outcome in outcomes]), ".0f", " %") for kind in KINDS),
        with_error(_number(steps, ".0f"), steps_error, ".0f"),
        with_error(_number(beats / 1e6, ".1f"), beats_error / 1e6, ".1f"),
        f"{count} of {len(outcomes)}",
    ]


def _number(value: float, form: str, unit: str = "") -> str:
    return "" if math.isnan(value) else f"{value:{form}}{unit}"


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
        share_map(parts[1][0].subplots(), shares, f"schedule {mapped}: share of the seeds whose operand has two chunks")
    run = next(iter(found.runs.values()))
    images = "validation" if run.validation else "held-out"
    title = f"{run.network}, {len(found.seeds)} seeds: accuracy on {images} digits, mean ± standard error"
    save_plot(figure, file, title)


def _final(axes: Axes, found: Comparison) -> None:
    for y, name in enumerate(found.outcomes):
        draw_seeds(axes, y, found.accuracies(name), found.accuracy(name), COLORS.get(name, BLUE))
    label_rows(axes, list(found.outcomes))
    for label in axes.get_yticklabels():
        label.set_color(COLORS.get(label.get_text(), BLUE))
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
