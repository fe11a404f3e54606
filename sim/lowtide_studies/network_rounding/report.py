"""Tables, sentences and plot of the study."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table

from lowtide_studies.harness.plots import BLUE, DARK, GREEN, RED, draw_seeds, label_rows, save_plot, style_axes
from lowtide_studies.harness.tables import counted, mean_and_error, new_table, signed, signed_and_error
from lowtide_studies.network_rounding.study import Result
from lowtide_studies.network_rounding.trainings import ENGINE_WORDS
from lowtide_studies.networks.roundings import BASELINE, IDEAL, NAMED, PLATEAU

__all__ = ["MEANINGS", "plot", "sentences", "tables"]

MEANINGS = {name: one.meaning for name, one in NAMED.items()} | {
    name: f"{counted(words['random_bits'], 'bit')} of the engine's generator of 16 bits"
    + ", both ends half as frequent" * words["random_plateau"]
    + ", half step, a seed per operand"
    for name, words in ENGINE_WORDS.items()
}
"""What each rounding does."""

JUDGED = ("reference", *PLATEAU, "shared-2", "engine-2", "engine-2-plateau", "neighbor-plateau")
"""Roundings that the study judges: the reference of 24 bits, words of few bits, and no generator."""


def tables(results: Sequence[Result]) -> Iterator[Table]:
    """One table per network, one row per rounding."""
    for result in results:
        run = result.run
        metric = "Perplexity" if run.text else "Accuracy\n%"
        steps = f"{counted(run.epochs, 'epoch')}, batches of {run.batch}, rate {run.rate:g}"
        table = new_table(
            f"{run.network} of width {run.width}, {result.data}: {steps}, {counted(len(result.seeds), 'seed')}",
            ("Rounding",),
            (metric, "Lowest to\nhighest", "Minus ideal,\npaired", "in s.e.", "Training\nloss", "Seeds"),
        )
        table.add_column("Meaning")
        for rounding in result.outcomes:
            style = "bold" if rounding == IDEAL else ""
            table.add_row(rounding, *_row(result, rounding), MEANINGS[rounding], style=style)
        yield table


def _row(result: Result, rounding: str) -> tuple[str, ...]:
    quality, difference = result.quality(rounding), result.difference(rounding)
    finite = sum(one.finite for one in result.outcomes[rounding])
    seeds = f"{finite} of {len(result.seeds)}"
    if math.isnan(quality.mean):
        return "not finite", "", "", "", "", seeds
    if rounding == IDEAL or (difference is not None and math.isnan(difference.mean)):
        difference = None
    return (
        mean_and_error(quality),
        f"{quality.lowest:.2f} to {quality.highest:.2f}",
        "" if difference is None else signed_and_error(difference),
        "" if difference is None or math.isnan(difference.errors) else signed(difference.errors, 1),
        f"{result.loss(rounding).mean:.3f}",
        seeds,
    )


def sentences(results: Sequence[Result]) -> Iterator[str]:
    """For each network, the differences of the judged roundings and of round to nearest from ideal rounding."""
    for result in results:
        texts = []
        for rounding in ("nearest", *JUDGED):
            difference = result.difference(rounding) if rounding in result.outcomes else None
            if difference is not None and not math.isnan(difference.error):
                texts.append(f"{rounding} {signed_and_error(difference)}")
        if texts:
            unit = "perplexity" if result.run.text else "accuracy in points"
            yield f"{result.run.network}: {unit} minus ideal rounding: {', '.join(texts)}."


FAR = 10
"""Distance of a mean from the median that is too far to be drawn, in median distances."""

COLORS = {BASELINE: DARK, "nearest": RED, "nearest_even": RED, "truncate": RED, IDEAL: GREEN}


def plot(results: Sequence[Result], file: Path) -> None:
    """Draw the quality of all seeds with their means, for each network."""
    roundings = list(results[0].outcomes)
    figure = Figure(figsize=(2.4 + 3.3 * len(results), 1.6 + 0.3 * len(roundings)), layout="constrained")
    plots = figure.subplots(1, len(results), squeeze=False)[0]
    for column, (result, axes) in enumerate(zip(results, plots, strict=True)):
        _qualities(axes, result)
        label_rows(axes, roundings if column == 0 else [""] * len(roundings))
    style_axes(*plots)
    seeds = counted(len(results[0].seeds), "seed")
    title = f"Rounding of gradients of networks: quality on test data, {seeds}, mean ± standard error; band: ideal"
    save_plot(figure, file, title)


def _qualities(axes: Axes, result: Result) -> None:
    if IDEAL in result.outcomes:
        ideal = result.quality(IDEAL)
        error = 0.0 if math.isnan(ideal.error) else ideal.error
        axes.axvspan(ideal.mean - error, ideal.mean + error, color=GREEN, alpha=0.2, linewidth=0)
    far = _far(result)
    for y, rounding in enumerate(result.outcomes):
        quality = result.quality(rounding)
        color = COLORS.get(rounding, BLUE)
        if rounding in far:
            low = quality.mean < np.nanmedian([result.quality(one).mean for one in result.outcomes])
            text = f"◂ {mean_and_error(quality)}" if low else f"{mean_and_error(quality)} ▸"
            place, side = (0.02, "left") if low else (0.98, "right")
            axes.text(place, y, text, color=color, ha=side, va="center", transform=axes.get_yaxis_transform())
        elif not math.isnan(quality.mean):
            draw_seeds(axes, y, np.array(result.qualities(rounding)), quality, color)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel("perplexity" if result.run.text else "accuracy (%)")
    axes.set_title(f"{result.run.network}, {result.data}", loc="left", fontsize="small")


def _far(result: Result) -> set[str]:
    """Roundings whose mean is so far from the others that they would hide the differences of the others."""
    means = {rounding: result.quality(rounding).mean for rounding in result.outcomes}
    apart = {rounding: abs(mean - np.nanmedian(list(means.values()))) for rounding, mean in means.items()}
    return {rounding for rounding, one in apart.items() if one > FAR * np.nanmedian(list(apart.values())) > 0}
