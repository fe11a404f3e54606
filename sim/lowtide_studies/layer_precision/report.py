"""Tables, plot and file of the study."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from lowtide_studies.harness.plots import BLUE, DARK, GRAY, GREEN, RED, label_rows, save_plot, style_axes
from lowtide_studies.harness.tables import new_table
from lowtide_studies.layer_precision.search import Found, Space, expected_quality, front
from lowtide_studies.layer_precision.study import Outcome
from lowtide_studies.layer_precision.task import Costs

__all__ = ["file_text", "front_table", "layer_table", "plot"]

LAYERS = 40
"""Most layers in the plot."""


def _cost(costs: Costs, value: float) -> str:
    return f"{value:,.0f}" if costs.kind == "cycles" else f"{value:.2f}"


def _heading(costs: Costs) -> str:
    return "Cycles" if costs.kind == "cycles" else "Mean bits"


def _name(found: Found) -> str:
    if found.how != "uniform":
        return found.how
    a, b = found.point[:2]
    return f"all {a} × {b}" if set(found.point[::2]) == {a} and set(found.point[1::2]) == {b} else "uniform"


def _decibels(noise: float) -> str:
    return f"{-10 * math.log10(noise):.1f}" if noise else "exact"


def front_table(title: str, outcome: Outcome, costs: Costs, loss: float, metric: str) -> Table:
    """Points that no other point beats in cost and noise, and equal bits for all layers.

    If the weights are tuned, equal bits also have the noise and quality with the weights of the file.
    """
    chosen = outcome.chosen(loss)
    known = front(outcome.found)
    stored = {one.point: one for one in outcome.stored}
    rows = [one for one in outcome.found if one in known or one.how == "uniform"]
    measured = ("SQNR,\ndB", f"{metric.capitalize()}\nsearch, %", "Other\nsamples, %")
    headings = (_heading(costs), *measured, "Mean\nbits A", "Mean\nbits B")
    if stored:
        headings += ("Not tuned:\nSQNR, dB", "search, %", "Other\nsamples, %")
    table = new_table(title, ("Bits", "Front", "Chosen"), headings)
    macs = list(costs.macs.values())
    for one in sorted(rows, key=lambda row: (row.cost, row.noise)):
        means = (sum(m * bits for m, bits in zip(macs, one.point[side::2], strict=True)) for side in range(2))
        table.add_row(
            _name(one),
            "yes" if one in known else "",
            "yes" if one is chosen else "",
            _cost(costs, one.cost),
            *_measured(one),
            *(f"{mean / max(1, sum(macs)):.2f}" for mean in means),
            *(_measured(stored[one.point]) if one.point in stored else ()),
        )
    table.add_row("FP32", "", "", "", "", f"{100 * outcome.quality:.2f}", f"{100 * outcome.tested:.2f}")
    return table


def _measured(found: Found) -> tuple[str, ...]:
    return _decibels(found.noise), f"{100 * found.quality:.2f}", f"{100 * found.tested:.2f}"


def layer_table(space: Space, chosen: Found, costs: Costs) -> Table:
    """Bits of each layer of the chosen point."""
    table = new_table("Chosen bits", ("Layer",), ("MMAC", "Bits A × B"))
    for name, (a, b) in space.precision(chosen.point).items():
        table.add_row(name, f"{costs.macs[name] / 1e6:,.2f}", f"{a} × {b}")
    return table


def file_text(space: Space, chosen: Found, comments: Sequence[str]) -> str:
    """TOML text of a precision file."""
    # A JSON string is a basic string of TOML.
    lines = [f"{json.dumps(name)} = [{a}, {b}]" for name, (a, b) in space.precision(chosen.point).items()]
    return "\n".join([*(f"# {one}" for one in comments), "[precision]", *lines, ""])


def plot(title: str, outcome: Outcome, space: Space, costs: Costs, loss: float, file: Path) -> None:
    """Cost and quality of all points, and the bits of the chosen point."""
    chosen = outcome.chosen(loss)
    shown = min(len(space.layers), LAYERS)
    figure = Figure(figsize=(10, max(3.6, 1.2 + 0.19 * shown)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_points(left, outcome, costs, chosen, loss)
    _draw_layers(right, space, chosen, shown)
    style_axes(left)
    style_axes(right, grid="x")
    save_plot(figure, file, title)


def _draw_points(axes: Axes, outcome: Outcome, costs: Costs, chosen: Found, loss: float) -> None:
    kinds = {
        "stored": ("equal bits, weights not tuned", "x", RED),
        "search": ("search", "o", GRAY),
        "path": ("path", "o", BLUE),
        "uniform": ("equal bits for all layers", "o", RED),
    }
    for how, (label, marker, color) in kinds.items():
        points = [one for one in (*outcome.stored, *outcome.found) if one.how == how]
        if points:
            cost, quality = [one.cost for one in points], [100 * one.quality for one in points]
            axes.plot(cost, quality, marker, color=color, markersize=4, label=label)
    best = front(outcome.found)
    cost = [one.cost for one in best]
    smooth = dict(zip((one.point for one in outcome.found), expected_quality(outcome.found), strict=True))
    expected = [100 * smooth[one.point] for one in best]
    axes.plot(cost, expected, color=DARK, linewidth=1, label="front, expected quality")
    axes.plot([chosen.cost], [100 * smooth[chosen.point]], "*", color=GREEN, markersize=12, label="chosen")
    axes.axhline(100 * (outcome.quality - loss), color=GRAY, linewidth=1, linestyle="--", label="FP32, less the loss")
    axes.xaxis.set_major_formatter("{x:,.0f}" if costs.kind == "cycles" else "{x:g}")
    axes.set_xlabel("cycles of the engine" if costs.kind == "cycles" else "mean bits, weighted by multiplications")
    axes.set_ylabel("quality of the samples of the search, %")
    axes.legend(fontsize="small")


def _draw_layers(axes: Axes, space: Space, chosen: Found, shown: int) -> None:
    precision = list(space.precision(chosen.point).items())[:shown]
    for place, (_, bits) in enumerate(precision):
        for side, color in enumerate((BLUE, GREEN)):
            label = ("A, activations", "B, weights")[side] if not place else None
            axes.barh(place + 0.4 * side - 0.2, bits[side], 0.38, color=color, label=label)
    label_rows(axes, [name if len(name) < 25 else f"…{name[-23:]}" for name, _ in precision], fontsize="small")
    axes.set_xticks(sorted({0, *space.bits_a, *space.bits_b}))
    axes.set_xlabel("bits")
    axes.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
