"""Tables, sentences and plot of the study."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.plots import BLUE, DARK, GRAY, GREEN, RED, YELLOW, save_plot, style_axes
from lowtide_studies.harness.statistics import Summary
from lowtide_studies.harness.tables import counted, mean_and_error, new_table
from lowtide_studies.term_revealing.area_time import INFERRED, Measured, area_time
from lowtide_studies.term_revealing.revealed import GROUPS, plain_pairs
from lowtide_studies.term_revealing.selection import ALLOWED, COMPARED, COSTS, MARGIN, cheapest, effects, front
from lowtide_studies.term_revealing.study import Study
from lowtide_studies.term_revealing.sweep import Narrower, Point, Sweep

__all__ = ["area_table", "draw_fewer_bits", "draw_pairs", "plot", "sentences", "tables"]

BUDGETS = (0.75, 1, 1.25, 1.5, 2)
"""``k / g`` at which groups and encodings are compared."""


def tables(study: Study) -> Iterator[Table]:
    """Plain quantization, cheapest settings, fronts and effects at the most bits, and fewer bits without terms."""
    yield _plain_table(study)
    yield _cheapest_table(study)
    for sweep in study.widest:
        yield _front_table(sweep)
        yield _effect_table(sweep, "group")
        yield _effect_table(sweep, "encoding")
    yield _narrower_table(study)


def area_table(measured: Measured) -> Table:
    """Area times time of each element at the selected setting."""
    cells = measured.cells
    table = new_table(
        f"{measured.network}, {measured.width} bits: area times time per product at {measured.setting} on "
        f"{measured.target}",
        ("Element",),
        ("Cells", "DSP", "Cycles\nper product", "Cells ×\ncycles", f"Times smaller\nthan {INFERRED}"),
    )
    for row in area_time(cells, measured.setting):
        # The area of a DSP block in logic cells is not defined.
        comparable = INFERRED in cells and not row.cells.dsps
        less = f"{cells[INFERRED].logic / row.product:.2f}" if comparable else ""
        figures = (str(row.cells.logic), str(row.cells.dsps), f"{row.cycles:.2f}", f"{row.product:.0f}", less)
        table.add_row(row.element, *figures)
    return table


def _plain_table(study: Study) -> Table:
    table = new_table(
        f"plain quantization: {len(study.seeds)} seeds, split {study.split}, held-out images",
        ("Network", "Bits"),
        ("FP32\n%", "Plain\n%", "Pairs per product,\nall bits", *(f"Nonzero pairs,\n{name}" for name in ENCODINGS)),
    )
    for sweep in study.sweeps:
        present = [f"{Summary.of(sweep.plain.present[name]).mean:.2f}" for name in ENCODINGS]
        accuracies = [mean_and_error(Summary.of(values)) for values in (sweep.plain.fp32, sweep.plain.held_out)]
        table.add_row(sweep.network, str(sweep.width), *accuracies, str(plain_pairs(sweep.width)), *present)
    return table


def _cheapest_table(study: Study) -> Table:
    table = new_table(
        f"cheapest settings: validation loss of {ALLOWED} points or less with {MARGIN} standard errors",
        ("Network", "Bits", "Cheapest by", "Setting"),
        (
            "Validation\nloss",
            "Held-out\nloss",
            "k/g",
            "Pairs at most,\nk·s/g",
            "Times\nfewer",
            "Times fewer,\nshort groups",
            "Nonzero\npairs",
            "Times fewer nonzero\nbinary | HESE",
            "Nonzero to bound,\nbinary | HESE",
        ),
    )
    for sweep in study.sweeps:
        for name, cost in COSTS.items():
            point = cheapest(sweep, cost)
            what = (sweep.network, str(sweep.width), name)
            if point is None:
                table.add_row(*what, "none")
            else:
                table.add_row(*what, str(point.setting), *_figures(sweep, point))
    return table


def _figures(sweep: Sweep, point: Point) -> tuple[str, ...]:
    return (
        mean_and_error(sweep.validation_loss(point)),
        mean_and_error(sweep.loss(point)),
        f"{point.setting.cycles:g}",
        f"{point.setting.bound:g}",
        f"{sweep.times_fewer(point):.1f}",
        f"{sweep.times_fewer_at_most(point):.1f}",
        f"{Summary.of(point.present).mean:.2f}",
        f"{sweep.times_fewer_present(point):.2f} | {sweep.times_fewer_present(point, 'hese'):.2f}",
        f"{sweep.present_to_bound(point):.2f} | {sweep.present_to_bound(point, 'hese'):.2f}",
    )


def _front_table(sweep: Sweep) -> Table:
    table = new_table(
        f"{sweep.network}, {sweep.width} bits: Pareto front of pairs and validation loss",
        ("Setting",),
        ("Pairs at most", "Times fewer", "Validation loss", "Held-out loss"),
    )
    for point in front(sweep):
        fewer, losses = f"{sweep.times_fewer(point):.1f}", (sweep.validation_loss(point), sweep.loss(point))
        table.add_row(str(point.setting), f"{point.setting.bound:g}", fewer, *map(mean_and_error, losses))
    return table


def _effect_table(sweep: Sweep, what: str) -> Table:
    fixed = {"group": COMPARED.encoding, "encoding": f"g={COMPARED.group}"}[what]
    table = new_table(
        f"{sweep.network}, {sweep.width} bits: held-out loss by {what}; {fixed}, s={COMPARED.data_terms}",
        (what.capitalize(),),
        (*(f"k/g = {budget:g}" for budget in BUDGETS), "Fewest pairs at most,\nany k and s"),
    )
    for effect in effects(sweep, what):
        points = [effect.by_budget.get(budget) for budget in BUDGETS]
        losses = ["" if point is None else mean_and_error(sweep.loss(point)) for point in points]
        bound = "none" if effect.cheapest is None else f"{effect.cheapest.setting.bound:g}"
        table.add_row(str(effect.value), *losses, bound)
    return table


def _narrower_table(study: Study) -> Table:
    widths = list(study.narrower[0].held_out)
    table = new_table(
        "plain quantization to fewer bits: held-out loss, and pairs of bits per product",
        ("Network",),
        tuple(f"{width} bits,\n{plain_pairs(width)} pairs" for width in widths),
    )
    for narrower in study.narrower:
        losses = [narrower.loss(width, widths[0]) for width in widths]
        table.add_row(narrower.network, *map(mean_and_error, losses))
    return table


def sentences(study: Study) -> Iterator[str]:
    """For each network and width, the saved pairs and the loss of the cheapest setting."""
    for sweep in study.sweeps:
        what = f"{sweep.network}, {sweep.width} bits"
        point = cheapest(sweep)
        if point is None:
            yield f"{what}: no setting loses {ALLOWED} points or less on validation images."
            continue
        yield (
            f"{what}: {point.setting} needs {sweep.times_fewer(point):.1f} times fewer pairs than all bits and "
            f"{sweep.times_fewer_present(point):.1f} times fewer pairs than the nonzero bits. It loses "
            f"{mean_and_error(sweep.loss(point))} points on held-out images."
        )


COLORS: dict[str, str] = dict(zip(ENCODINGS, (YELLOW, GREEN, BLUE), strict=True))
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
        draw_pairs(axes[0, column], sweep)
        draw_fewer_bits(axes[0, column], narrower[sweep.network], sweep.width)
        _groups(axes[1, column], sweep)
    for one in axes.flat:
        one.axhline(ALLOWED, color=DARK, linewidth=0.8, linestyle=(0, (4, 3)))
        place = (0, ALLOWED)
        text = f"loss of {ALLOWED:g} points"
        one.annotate(text, place, (4, -10), one.get_yaxis_transform(), "offset points", fontsize="small")
        one.set_ylim(-0.6, LARGEST)
    style_axes(*axes.flat)
    for one in axes[:, 0]:
        one.set_ylabel("accuracy lost (points)")
        one.legend(frameon=False, fontsize="small", loc="upper right")
    seeds = counted(len(study.seeds), "seed")
    title = f"Term revealing: loss on held-out digits, relative to plain quantization, mean ± standard error, {seeds}"
    save_plot(figure, file, title)


def draw_pairs(axes: Axes, sweep: Sweep, allowed: float = ALLOWED) -> None:
    """Draw all settings, the front of each encoding on validation data, and the setting with an allowed loss."""
    axes.plot(
        [point.setting.bound for point in sweep.points],
        [sweep.loss(point).mean for point in sweep.points],
        ".",
        color=GRAY,
        markersize=3,
        zorder=1,
    )
    for encoding in dict.fromkeys(point.setting.encoding for point in sweep.points):
        color = COLORS[encoding]
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
    chosen = cheapest(sweep, allowed=allowed)
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


def draw_fewer_bits(axes: Axes, narrower: Narrower, reference: int) -> None:
    """Draw plain quantization: pairs of all bits of both operands."""
    widths = [width for width in narrower.held_out if width <= reference]
    pairs, losses = [plain_pairs(width) for width in widths], [narrower.loss(width, reference) for width in widths]
    errors = [loss.error for loss in losses]
    axes.errorbar(
        pairs,
        [loss.mean for loss in losses],
        yerr=errors,
        fmt="s--",
        color=DARK,
        label="fewer bits, no revealing",
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
    title = f"{sweep.network}, {sweep.width} bits: by group size g; {COMPARED.encoding}, s = {COMPARED.data_terms}"
    axes.set_title(title, loc="left", fontsize="small")
