"""Tables, sentences and plot of the study."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from lowtide.config import Config
from lowtide_model.layer_cost import Cost
from lowtide_studies.harness.plots import BLUE, DARK, GRAY, GREEN, RED, label_rows, save_plot, style_axes
from lowtide_studies.harness.tables import new_table
from lowtide_studies.layers.study import Measured

__all__ = ["plot", "sentences", "tables"]

FIGURES = ("MMAC", "Cycles", "Share of\nfloor", "Share of\npeak", "MB in,\nA", "MB in,\nB", "MB\nout", "Passes")
COLORS = (RED, BLUE, GREEN, DARK)


def tables(found: Sequence[Measured], clock: float | None) -> Iterator[Table]:
    """All networks, then the layers of each network at each precision."""
    rate = () if clock is None else (f"Runs per second\nat {clock:g} MHz",)
    captions = (
        "Share of floor: beats of whole tiles and groups per cycle. Share of peak: multiplications per lane and cycle."
    )
    table = new_table("Networks", ("Network", "Bits"), (*FIGURES, *rate, "Limit"), captions)
    for one in found:
        runs = () if clock is None else (f"{clock * 1e6 / one.total.cycles:,.1f}",)
        table.add_row(one.network.title, one.setting.text, *_figures(one.total), *runs, _limit(one.limits))
    yield table
    for one in found:
        table = new_table(
            f"{one.network.title}, {one.setting.text} bits", ("Layer", "M × K × N", "Count"), (*FIGURES, "Limit")
        )
        for layer, cost in zip(one.network.layers, one.layers, strict=True):
            size = f"{layer.m} × {layer.k} × {layer.n}"
            table.add_row(layer.name, size, str(layer.count), *_figures(cost), _limit(cost.limits))
        yield table


def _figures(cost: Cost) -> tuple[str, ...]:
    megabytes = (f"{count / 1e6:.2f}" for count in (cost.bytes_a, cost.bytes_b, cost.bytes_out))
    shares = f"{cost.share:.1%}", f"{cost.share_of_peak:.1%}"
    return f"{cost.macs / 1e6:,.1f}", f"{cost.cycles:,}", *shares, *megabytes, f"{cost.passes:,}"


def _limit(limits: Sequence[str]) -> str:
    return ", ".join(limits)


def sentences(found: Sequence[Measured]) -> Iterator[str]:
    """How much faster each network is at its lowest precision than at its highest."""
    for name in dict.fromkeys(one.network.name for one in found):
        first, *_, last = [*(one for one in found if one.network.name == name)] * 2
        if last.setting != first.setting:
            times = last.total.cycles / first.total.cycles
            bits = f"{last.setting.text} bits as at {first.setting.text}"
            yield f"{last.network.title}: {times:.2f} times the cycles at {bits}"


def title(config: Config, found: Sequence[Measured]) -> str:
    """The engine and its streams."""
    array, bfp, engine = config.array, config.bfp, config.engine
    form = "packed operands" if found[0].setting.packed else "FP32 operands"
    streams = f"streams of {32 * engine.input_width} bits, results of {32 * engine.output_width} bits"
    bandwidth = found[0].setting.bandwidth
    limit = "" if bandwidth is None else f", {bandwidth:g} bytes per cycle"
    return f"{array.rows} × {array.columns} elements of {bfp.lanes} lanes, {form}, {streams}{limit}"


def plot(config: Config, found: Sequence[Measured], file: Path) -> None:
    """Draw the share of the array's floor of each network and of each of its layers, by precision."""
    names = list(dict.fromkeys(one.network.name for one in found))
    labels, bold, points = [], [], {}
    for name in names:
        of_network = [one for one in found if one.network.name == name]
        network = of_network[0].network
        costs = [[one.total, *one.layers] for one in of_network]
        for place, label in enumerate([network.title, *(layer.name for layer in network.layers)]):
            bold.append(place == 0)
            for one, shown in zip(of_network, costs, strict=True):
                points.setdefault(one.setting.text, []).append((100 * shown[place].share, len(labels)))
            labels.append(label)
    figure = Figure(figsize=(9, 1.2 + 0.2 * len(labels)), layout="constrained")
    axes = figure.subplots()
    for number, (text, shares) in enumerate(points.items()):
        color = COLORS[number % len(COLORS)]
        axes.plot(*zip(*shares, strict=True), "o", color=color, markersize=5, alpha=0.85, label=f"{text} bits")
    for place, heavy in enumerate(bold):
        if heavy:
            axes.axhspan(place - 0.5, place + 0.5, color=GRAY, alpha=0.25, linewidth=0)
    label_rows(axes, labels, fontsize="small")
    for text, heavy in zip(axes.get_yticklabels(), bold, strict=True):
        text.set_fontweight("bold" if heavy else "normal")
    axes.set_xlim(0, 102)
    axes.set_xlabel("share of the array's floor (%)")
    axes.legend(loc="lower left", fontsize="small")
    style_axes(axes)
    save_plot(figure, file, title(config, found))
