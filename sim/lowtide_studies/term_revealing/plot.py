"""Plot of the study."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.plots import BLUE, DARK, GRAY, GREEN, RED, YELLOW, save_plot, style_axes
from lowtide_studies.term_revealing.selection import ALLOWED, COMPARED, cheapest, effects, front
from lowtide_studies.term_revealing.setting import GROUPS
from lowtide_studies.term_revealing.study import Study
from lowtide_studies.term_revealing.sweep import Narrower, Sweep
from lowtide_studies.term_revealing.term_pairs import plain_pairs

__all__ = ["plot"]

COLORS = dict(zip(ENCODINGS, (YELLOW, GREEN, BLUE), strict=True))
SHADES = dict(zip(GROUPS, (RED, YELLOW, "#9bbf85", GREEN, BLUE, DARK), strict=True))
LARGEST = 6.0
"""Largest loss of the plot, in points."""


def plot(study: Study, file: Path) -> None:
    """Draw the held-out loss at the most bits: by pairs per product, and by terms per weight and group size."""
    columns = len(study.widest)
    figure = Figure(figsize=(1.2 + 4.8 * columns, 7.6), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False, sharey=True)
    narrower = {narrower.network: narrower for narrower in study.narrower}
    for column, sweep in enumerate(study.widest):
        _pairs(axes[0, column], sweep)
        _fewer_bits(axes[0, column], narrower[sweep.network], sweep.width)
        _groups(axes[1, column], sweep)
    for one in axes.flat:
        one.axhline(ALLOWED, color=DARK, linewidth=0.8, linestyle=(0, (4, 3)))
        allowed = (1, ALLOWED)
        one.annotate(
            "allowed", allowed, (0, 3), one.get_yaxis_transform(), "offset points", ha="right", fontsize="small"
        )
        one.set_ylim(-0.6, LARGEST)
    style_axes(*axes.flat)
    for one in axes[:, 0]:
        one.set_ylabel("accuracy lost (points)")
        one.legend(frameon=False, fontsize="small", loc="upper right")
    seeds = f"{len(study.seeds)} seed{'s' if len(study.seeds) > 1 else ''}"
    title = f"Term revealing: accuracy lost on held-out digits to plain quantization, mean ± standard error, {seeds}"
    save_plot(figure, file, title)


def _pairs(axes: Axes, sweep: Sweep) -> None:
    """All settings, and of each encoding those on the front of the validation images."""
    axes.plot(
        [point.setting.bound for point in sweep.points],
        [sweep.loss(point).mean for point in sweep.points],
        ".",
        color=GRAY,
        markersize=3,
        zorder=1,
    )
    for encoding, color in COLORS.items():
        points = front(sweep, points=[point for point in sweep.points if point.setting.encoding == encoding])
        losses = [sweep.loss(point) for point in points]
        axes.errorbar(
            [point.setting.bound for point in points],
            [loss.mean for loss in losses],
            yerr=[loss.error for loss in losses],
            fmt="o-",
            color=color,
            label=encoding,
            markersize=4,
            capsize=2,
            linewidth=1.2,
        )
    chosen = cheapest(sweep)
    if chosen is not None:
        axes.annotate(
            f"{chosen.setting}\n{sweep.times_fewer(chosen):.1f} times fewer",
            (chosen.setting.bound, sweep.loss(chosen).mean),
            (0.03, 0.22),
            textcoords="axes fraction",
            ha="left",
            fontsize="small",
            arrowprops={"arrowstyle": "->", "color": DARK},
        )
    axes.set_xscale("log", base=2)
    axes.set_xlim(0.2, 60)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("pairs of terms per product at most, k · s / g")
    axes.set_title(f"{sweep.network}, {sweep.width} bits: best settings of each encoding", loc="left", fontsize="small")


def _fewer_bits(axes: Axes, narrower: Narrower, reference: int) -> None:
    """Plain quantization: pairs of all bits of both operands."""
    widths = [width for width in narrower.held_out if width <= reference]
    pairs, losses = [plain_pairs(width) for width in widths], [narrower.loss(width, reference) for width in widths]
    errors = [loss.error for loss in losses]
    axes.errorbar(
        pairs,
        [loss.mean for loss in losses],
        yerr=errors,
        fmt="s--",
        color=DARK,
        label="plain, fewer bits",
        markersize=4,
        capsize=2,
        linewidth=0.8,
    )
    for width, x, loss in zip(widths, pairs, losses, strict=True):
        if loss.mean < LARGEST:
            axes.annotate(str(width), (x, loss.mean), (5, 4), textcoords="offset points", fontsize="small", color=DARK)


def _groups(axes: Axes, sweep: Sweep) -> None:
    """Loss by budget, one curve per group size."""
    for effect in effects(sweep, "group"):
        losses = [sweep.loss(point).mean for point in effect.by_budget.values()]
        axes.plot(
            list(effect.by_budget),
            losses,
            "o-",
            color=SHADES[effect.value],
            label=f"g = {effect.value}",
            markersize=4,
        )
    axes.set_xlim(0.2, 3.1)
    axes.set_xlabel("terms per weight, k / g")
    title = f"{sweep.network}, {sweep.width} bits: groups; {COMPARED.encoding}, s = {COMPARED.data_terms}"
    axes.set_title(title, loc="left", fontsize="small")
