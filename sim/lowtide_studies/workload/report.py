"""Tables and plot of the workload."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from lowtide.config import Config
from lowtide_studies.harness.plots import BLUE, DARK, save_plot, style_axes
from lowtide_studies.harness.tables import counted, new_table
from lowtide_studies.workload.inference import WIDTHS
from lowtide_studies.workload.products import SHAPE, Total
from lowtide_studies.workload.run import Results

__all__ = ["configuration_text", "plot", "tables"]


def configuration_text(source: str, given: Config, fitting: Config) -> str:
    """The simulated hardware, and its differences from the given configuration."""
    raised = [
        f"bfp.{key} raised from {getattr(given.bfp, key)} to {getattr(fitting.bfp, key)}"
        for key in ("mantissa", "max_k")
        if getattr(given.bfp, key) != getattr(fitting.bfp, key)
    ]
    array, bfp = fitting.array, fitting.bfp
    return (
        f"{array.rows} × {array.columns} {array.element}, {bfp.lanes} lanes, chunks of {bfp.chunk_a} × {bfp.chunk_b}"
        f" bits, exponents of {bfp.exponent} bits, accumulators of {bfp.accumulator} bits"
        f" (configuration {source}{', with ' + ' and '.join(raised) if raised else ''})"
    )


def tables(results: Results) -> Iterator[Table]:
    """A table of the network at every precision, and a table of the large product."""
    network = "-".join(map(str, WIDTHS))
    table = _table(f"{counted(results.images, 'held-out image')}, network {network}", "Bits", "Accuracy", "FP32")
    for inference in results.inferences:
        accuracies = f"{inference.accuracy:.2%}", f"{results.fp32:.2%}"
        table.add_row(str(inference.precision), *accuracies, *_costs(inference.total))
    yield table
    if results.large:
        shape = " × ".join(map(str, SHAPE))
        table = _table(f"{shape}, random data", "Bits")
        for precision, checked in results.large.items():
            table.add_row(str(precision), *_costs(Total.of([checked])))
        yield table


def _table(title: str, *columns: str) -> Table:
    costs = ("Cycles", "Beats\n/cycle", "PE\nutilization", "Words\ncompared", "Equal")
    return new_table(title, (), (*columns, *costs))


def _costs(total: Total) -> tuple[str, ...]:
    return (
        f"{total.cycles:,}",
        f"{total.beat_rate:.3f}",
        f"{total.utilization:.1%}",
        f"{total.words:,}",
        f"{total.equal:,}",
    )


def plot(results: Results, file: Path) -> None:
    """Draw accuracy at each precision next to FP32, and the cycles of the array."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [str(inference.precision) for inference in results.inferences]
    percent = [100 * inference.accuracy for inference in results.inferences]
    kilocycles = [inference.total.cycles / 1000 for inference in results.inferences]
    utilization = [inference.total.utilization for inference in results.inferences]

    left.axhline(100 * results.fp32, color=DARK, linewidth=1, linestyle="--", label=f"FP32, {100 * results.fp32:.1f} %")
    left.plot(
        names, percent, color=BLUE, marker="o", markersize=8, linestyle="", clip_on=False, label="simulated array"
    )
    for x, y in enumerate(percent):
        left.annotate(f"{y:.1f} %", (x, y), xytext=(0, -18), textcoords="offset points", ha="center", color=BLUE)
    lowest = min(*percent, 100 * results.fp32)
    left.set_ylim(lowest - max(1, 0.4 * (100 - lowest)), 100)
    left.margins(x=0.1)
    left.set_ylabel("accuracy (%)")
    left.set_title(f"Accuracy on {results.images} held-out images", loc="left")
    left.legend(loc="lower left", frameon=False)

    bars = right.bar(names, kilocycles, color=BLUE, width=0.6)
    labels = [f"{k:,.1f}\n{100 * u:.0f} %" for k, u in zip(kilocycles, utilization, strict=True)]
    right.bar_label(bars, labels, padding=3, color=DARK)
    right.margins(y=0.18)
    right.set_ylabel("thousand cycles")
    array = results.array.config.array
    right.set_title(f"Cycles and utilization of {array.rows} × {array.columns} PEs", loc="left")

    for axes in (left, right):
        axes.set_xlabel("magnitude bits, activations × weights")
    style_axes(left, right, grid="y")
    save_plot(figure, file)
