"""Plot of the workload."""

from pathlib import Path

from matplotlib.figure import Figure

from lowtide_studies.harness.plots import BLUE, DARK, save_plot, style_axes
from lowtide_studies.workload.run import Results

__all__ = ["plot"]


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
