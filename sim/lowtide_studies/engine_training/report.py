"""Totals, table and plot of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from rich.table import Table

from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.schedule import HIGH, KINDS
from lowtide_studies.engine_training.trainer import Step, Trained
from lowtide_studies.harness.plots import BLUE, DARK, GRAY, PALE, save_plot, style_axes

__all__ = ["beats_per_pair", "cycles", "high_shares", "plot", "run_table", "run_title", "share_map"]


def beats_per_pair(steps: Sequence[Step]) -> float | None:
    """Pairs of chunks per pair of groups over all products, from 1 (low) to 4 (high); None without an engine."""
    pairs = sum(step.pairs for step in steps)
    return sum(step.beats for step in steps) / pairs if pairs else None


def high_shares(steps: Sequence[Step]) -> dict[str, float]:
    """Share of high uses by kind of tensor; empty without an engine."""
    shares = {}
    for kind in KINDS:
        found = [chunks for step in steps for key, chunks in step.chunks.items() if key.endswith(kind)]
        if found:
            shares[kind] = found.count(HIGH) / len(found)
    return shares


def cycles(steps: Sequence[Step]) -> int | None:
    """Cycles of the engine; None without a clock."""
    known = [step.cycles for step in steps if step.cycles is not None]
    return sum(known) if len(known) == len(steps) else None


def run_title(run: Run, engine: str) -> str:
    """Title of a run."""
    options = ", ".join(f"{key} = {value:g}" for key, value in run.options.items())
    schedule = f"{run.schedule} ({options})" if options else run.schedule
    return f"{run.network}, {schedule}: {run.steps} steps of {run.batch} images, seed {run.seed}, {engine}"


def run_table(run: Run, trained: Trained, engine: str) -> Table:
    """Results of a run."""
    table = Table(title=run_title(run, engine), title_justify="left", title_style="bold", show_header=False)
    table.add_column("")
    table.add_column("", justify="right", overflow="fold")
    images = "validation images" if run.validation else "held-out images"
    table.add_row(f"Accuracy on {images}", f"{100 * trained.accuracy:.2f} %")
    table.add_row("Loss on training images", f"{trained.loss:.4f}")
    for kind, share in high_shares(trained.steps).items():
        table.add_row(f"Two chunks: {kind}", f"{100 * share:.0f} %")
    if (beats := beats_per_pair(trained.steps)) is not None:
        table.add_row("Beats per pair of groups, from 1 to 4", f"{beats:.2f}")
    if (count := cycles(trained.steps)) is not None:
        table.add_row("Cycles of the engine", f"{count:,}")
    table.add_row("SHA-256 of the weights", trained.sha256)
    return table


SMOOTHED = 15
"""Steps of the moving average of the loss."""


def plot(trained: Trained, title: str, file: Path) -> None:
    """Draw loss, accuracy, and the steps in which each operand had two chunks."""
    rows = len(trained.steps[0].chunks)
    height = 0.8 + 0.24 * rows
    figure = Figure(figsize=(8.5, 3.2 + (height if rows else 0)), layout="constrained")
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[3, height]) if rows else [[figure]]
    upper = parts[0][0]
    loss, accuracy = upper.subplots(1, 2)
    _loss(loss, trained.steps)
    _accuracy(accuracy, trained)
    for axes in (loss, accuracy):
        axes.set_xlim(0, len(trained.steps))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("step")
    style_axes(loss, accuracy, grid="y")
    if rows:
        high = {key: np.array([step.chunks[key] == HIGH for step in trained.steps]) for key in trained.steps[0].chunks}
        share_map(parts[1][0].subplots(), high, "Operands with two chunks")
    save_plot(figure, file, title)


def _loss(axes: Axes, steps: Sequence[Step]) -> None:
    losses = np.array([step.loss for step in steps])
    axes.plot(range(1, len(losses) + 1), losses, color=GRAY, linewidth=0.8, label="batch")
    width = min(SMOOTHED, len(losses))
    mean = np.convolve(losses, np.full(width, 1 / width), mode="valid")
    middle = np.arange(len(mean)) + (width + 1) / 2
    axes.plot(middle, mean, color=BLUE, label=f"mean of {width}")
    axes.set_ylim(0)
    axes.set_ylabel("training loss")
    axes.legend(frameon=False, fontsize="small")


def _accuracy(axes: Axes, trained: Trained) -> None:
    steps, accuracies = zip(*trained.accuracies, strict=True)
    axes.plot(steps, [100 * accuracy for accuracy in accuracies], "o-", color=BLUE, markersize=4, clip_on=False)
    axes.annotate(
        f"{100 * accuracies[-1]:.1f}",
        (steps[-1], 100 * accuracies[-1]),
        xytext=(0, -12),
        textcoords="offset points",
        ha="right",
        color=BLUE,
    )
    axes.set_ylabel("accuracy (%)")


def share_map(axes: Axes, shares: Mapping[str, np.ndarray], meaning: str) -> None:
    """Draw shares from 0 to 1 by the keys of uses: one row per use, one column per step; darker is larger."""
    keys = sorted(shares, key=_place)
    image = np.array([shares[key] for key in keys])
    colors = LinearSegmentedColormap.from_list("shares", [PALE, BLUE])
    extent = (0, image.shape[1], len(keys) - 0.5, -0.5)
    axes.imshow(image, cmap=colors, vmin=0, vmax=1, aspect="auto", interpolation="nearest", extent=extent)
    axes.set_yticks(range(len(keys)), [_label(key) for key in keys], fontsize="small")
    for row in range(1, len(keys)):
        new = keys[row].split(".")[0] != keys[row - 1].split(".")[0]
        axes.axhline(row - 0.5, color=DARK if new else "white", linewidth=1.2 if new else 1)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("step")
    patches = [Patch(color=BLUE, label="all"), Patch(color=PALE, label="none")]
    axes.legend(handles=patches, frameon=False, fontsize="small", ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    axes.set_title(meaning, loc="left", fontsize="medium")


def _place(key: str) -> tuple[int, int, str]:
    """Sort key: layer, then kind, then product."""
    layer, product, kind = key.split(".")
    return int(layer), KINDS.index(kind), product


def _label(key: str) -> str:
    layer, product, kind = key.split(".")
    return f"layer {int(layer) + 1}: {kind}, {product.replace('_', ' ')}"
