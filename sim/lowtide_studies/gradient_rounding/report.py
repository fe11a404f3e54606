"""Tables, sentences and plot of the study."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table

from lowtide_studies.gradient_rounding.study import Study
from lowtide_studies.harness.plots import (
    BLUE,
    DARK,
    GREEN,
    RED,
    YELLOW,
    draw_seeds,
    label_rows,
    log_scale,
    save_plot,
    style_axes,
)
from lowtide_studies.harness.statistics import Difference
from lowtide_studies.harness.tables import counted, mean_and_error, new_table, signed, signed_and_error, with_error
from lowtide_studies.networks.roundings import BASELINE, IDEAL, NAMED, PLATEAU

__all__ = ["plot", "sentences", "tables"]

CLEAR = 3
"""Standard errors above which a difference is called clear: by chance it is rare, even among many comparisons."""

FEWEST = 5
"""Fewest seeds for a verdict: with fewer seeds the standard error itself is uncertain."""

COLUMNS = (
    "Accuracy\n%",
    "Lowest to\nhighest",
    "Minus ideal,\npaired",
    "in s.e.",
    "Training\nloss",
    "Minus ideal\nin s.e.",
)


def tables(study: Study) -> Iterator[Table]:
    """One table per setting, one row per rounding: means and standard errors over the seeds."""
    for name, setting in study.settings.items():
        schedule = "falling to zero" if setting.decays else "constant"
        steps = f"{setting.epochs} epochs, batches of {setting.batch}, rate {setting.rate:g}, {schedule}"
        title = f"{name}: {setting.meaning}\n{steps}, {counted(len(study.seeds), 'seed')}"
        table = new_table(title, ("Rounding",), COLUMNS)
        table.add_column("Meaning")
        for rounding in study.roundings:
            style = "bold" if rounding == IDEAL else ""
            table.add_row(rounding, *_row(study, name, rounding), NAMED[rounding].meaning, style=style)
        yield table


def _row(study: Study, setting: str, rounding: str) -> tuple[str, ...]:
    accuracy, loss = study.accuracy(setting, rounding), study.loss(setting, rounding)
    difference, loss_difference = study.difference(setting, rounding), study.loss_difference(setting, rounding)
    if rounding == IDEAL:
        difference = loss_difference = None
    return (
        mean_and_error(accuracy),
        f"{accuracy.lowest:.2f} to {accuracy.highest:.2f}",
        "" if difference is None else signed_and_error(difference),
        "" if difference is None else signed(difference.errors, 1),
        with_error(f"{loss.mean:.4f}", loss.error, ".4f"),
        "" if loss_difference is None else signed(loss_difference.errors, 1),
    )


def sentences(study: Study) -> Iterator[str]:
    """For each setting, the roundings that differ from ideal rounding, in standard errors."""
    if IDEAL not in study.roundings or len(study.seeds) < FEWEST:
        yield f"No verdict: a verdict needs ideal rounding and {FEWEST} seeds or more."
        return
    for setting in study.settings:
        yield f"{setting}: {'; '.join([*_plateau(study, setting), _others(study, setting)])}."


def _plateau(study: Study, setting: str) -> Iterator[str]:
    for rounding in PLATEAU:
        difference = study.difference(setting, rounding) if rounding in study.roundings else None
        if difference is not None:
            within = "within" if difference.within_one else "not within"
            yield f"{rounding} is {_text(difference)} from ideal, {within} one standard error"


def _others(study: Study, setting: str) -> str:
    clear = []
    for rounding in study.roundings:
        difference = study.difference(setting, rounding)
        if rounding not in (BASELINE, IDEAL) and difference is not None and abs(difference.errors) >= CLEAR:
            clear.append(f"{rounding} ({_text(difference)})")
    if not clear:
        return f"no rounding differs from ideal by {CLEAR} standard errors"
    return f"{CLEAR} standard errors or more from ideal: {', '.join(clear)}"


def _text(difference: Difference) -> str:
    return f"{signed_and_error(difference)} points ({signed(difference.errors, 1)} s.e.)"


CURVES = {BASELINE: DARK, "nearest_even": RED, "truncate": YELLOW, IDEAL: GREEN, PLATEAU[0]: BLUE}
"""Roundings whose training loss is drawn, and their colors."""


def plot(study: Study, file: Path) -> None:
    """Draw the accuracies of all seeds with their means, and below them the training loss by epoch."""
    columns = len(study.settings)
    height = 1.6 + 0.27 * len(study.roundings)
    figure = Figure(figsize=(2.4 + 3.3 * columns, height + 3), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False, height_ratios=[height, 2.6])
    for column, setting in enumerate(study.settings):
        _accuracies(axes[0, column], study, setting, labels=column == 0)
        _losses(axes[1, column], study, setting, label=column == 0)
    handles, labels = axes[1, 0].get_legend_handles_labels()
    if handles:
        axes[1, 0].legend(handles, labels, frameon=False, fontsize="small")
    style_axes(*axes[0])
    style_axes(*axes[1], grid="y")
    seeds = counted(len(study.seeds), "seed")
    title = f"Rounding of gradients: accuracy on held-out digits, {seeds}, mean ± standard error; band: ideal rounding"
    save_plot(figure, file, title)


def _accuracies(axes: Axes, study: Study, setting: str, labels: bool) -> None:
    lowest, highest = _limits(study, setting)
    axes.set_xlim(lowest, highest)
    if IDEAL in study.roundings:
        ideal = study.accuracy(setting, IDEAL)
        axes.axvspan(ideal.mean - ideal.error, ideal.mean + ideal.error, color=GREEN, alpha=0.2, linewidth=0)
    for y, rounding in enumerate(study.roundings):
        color = CURVES.get(rounding, BLUE)
        accuracy, seeds = study.accuracy(setting, rounding), np.array(study.accuracies(setting, rounding))
        if accuracy.mean < lowest:
            axes.annotate(
                with_error(f"◂ {accuracy.mean:.1f}", accuracy.error, ".1f"), (lowest, y), color=color, va="center"
            )
            continue
        draw_seeds(axes, y, seeds[seeds >= lowest], accuracy, color)
    label_rows(axes, study.roundings if labels else [""] * len(study.roundings))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("accuracy (%)")
    axes.set_title(f"{setting}\n{study.settings[setting].meaning.replace('; ', chr(10))}", loc="left", fontsize="small")


def _limits(study: Study, setting: str) -> tuple[float, float]:
    """Limits of the axis: they include all seeds of all roundings but truncation, unless there is no other rounding."""
    seen = [r for r in study.roundings if r != "truncate"] or study.roundings
    values = [value for rounding in seen for value in study.accuracies(setting, rounding)]
    margin = max(0.3, 0.05 * (max(values) - min(values)))
    return min(values) - margin, max(values) + margin


def _losses(axes: Axes, study: Study, setting: str, label: bool) -> None:
    for rounding, color in CURVES.items():
        if rounding in study.roundings:
            curve = np.mean([run.losses for run in study.runs[setting, rounding]], axis=0)
            axes.plot(range(1, len(curve) + 1), curve, color=color, label=rounding, linewidth=1.5)
    log_scale(axes, "y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    if label:
        axes.set_ylabel("training loss")
