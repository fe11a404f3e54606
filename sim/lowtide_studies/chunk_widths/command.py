"""``lowtide study chunk-widths``: area times time of each pair of chunk widths at each precision."""

from collections.abc import Sequence
from math import lcm
from pathlib import Path

import attrs
import click
from matplotlib.figure import Figure
from rich.table import Table

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.formats.bfp import Bfp
from lowtide.synthesis.yosys import synthesize
from lowtide.units.arithmetic.fmac import Fmac
from lowtide_studies.harness.jobs import Job, Runner, synthesis_inputs
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, target_option
from lowtide_studies.harness.plots import log_scale, save_plot, style_axes
from lowtide_studies.harness.tables import new_table

__all__ = ["command"]

PAIRS = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 1), (4, 2), (4, 4)]
QUICK_PAIRS = [(2, 2), (4, 4)]
MIXES = [(2, 2), (4, 2), (4, 4), (8, 8)]


@attrs.frozen
class PairCost:
    """Logic cells of a processing element for one pair of chunk widths in bits, with ``lanes`` products per cycle.

    The largest magnitude has 8 bits, or the next multiple of both chunk widths.
    """

    chunk_a: int
    chunk_b: int
    mantissa: int
    lanes: int
    target: str
    cells: int

    def passes(self, mix: tuple[int, int]) -> int:
        """Beats per group pair at ``mix`` magnitude bits: chunks of A, rounded up, times chunks of B."""
        bits_a, bits_b = mix
        return -(-bits_a // self.chunk_a) * -(-bits_b // self.chunk_b)

    def cost(self, mix: tuple[int, int]) -> float:
        """Logic cells × beats per product."""
        return self.cells * self.passes(mix) / self.lanes


def measure_pairs(
    target: str, pairs: Sequence[tuple[int, int]] = PAIRS, *, lanes: int = 16, runner: Runner | None = None
) -> list[PairCost]:
    """Synthesize the processing element for each pair of chunk widths."""
    inputs, jobs, formats = synthesis_inputs(), [], []
    for chunk_a, chunk_b in pairs:
        step = lcm(chunk_a, chunk_b)
        formats.append(Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=-(-8 // step) * step))
        unit = Fmac(formats[-1])
        text, _ = verilog_and_modules(unit)
        arguments = (text, unit.module_name, target)
        name = f"fmac, chunks of {chunk_a} × {chunk_b} bits on {target}"
        jobs.append(Job(name=name, inputs=(*inputs, *arguments), function=_cells, arguments=arguments))
    cells = (runner or Runner()).run("Synthesis", jobs)
    return [
        PairCost(bfp.chunk_a, bfp.chunk_b, bfp.mantissa, lanes, target, count)
        for bfp, count in zip(formats, cells, strict=True)
    ]


def _cells(verilog: str, top: str, target: str) -> int:
    return synthesize(verilog, top, target, cache=Cache(CACHE)).logic_cells


def to_pair_table(costs: list[PairCost]) -> Table:
    """One row per pair, one column per precision; the lowest cost of each column in bold."""
    headings = ("Cells", *(f"{a} × {b} bits" for a, b in MIXES))
    table = new_table(f"fmac on {costs[0].target}: logic cells × beats per product", ("Chunks",), headings)
    least = {mix: min(cost.cost(mix) for cost in costs) for mix in MIXES}
    for cost in costs:
        figures = [f"{cost.cost(mix):,.1f}" for mix in MIXES]
        marked = [f"[bold]{f}[/]" if cost.cost(m) == least[m] else f for f, m in zip(figures, MIXES, strict=True)]
        table.add_row(f"{cost.chunk_a} × {cost.chunk_b}", str(cost.cells), *marked)
    return table


def plot_pairs(costs: list[PairCost], file: Path) -> None:
    """Draw the cost of each pair by precision, on a logarithmic scale."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, cost in enumerate(costs):
        label = f"{cost.chunk_a} × {cost.chunk_b}"
        axes.plot([cost.cost(mix) for mix in MIXES], "o-", color=f"C{number}", linewidth=0.8, label=label)
    axes.set_xticks(range(len(MIXES)), [f"{a} × {b}" for a, b in MIXES])
    log_scale(axes, "y")
    axes.set_xlabel("magnitude bits of the operands, A × B")
    axes.set_ylabel("logic cells × beats per product")
    axes.legend(title="chunk bits, A × B", ncols=2)
    style_axes(axes)
    save_plot(figure, file, f"Cost per product by chunk widths: fmac of {costs[0].lanes} lanes on {costs[0].target}")


EXAMPLES = """\b
Examples:
  lowtide study chunk-widths
  lowtide study chunk-widths --target ecp5 --output build/ecp5
"""


@click.command("chunk-widths", epilog=EXAMPLES)
@target_option
@study_options("chunk-widths", quick=f"{len(QUICK_PAIRS)} of {len(PAIRS)} pairs of chunk widths")
def command(options: StudyOptions, target: str) -> None:
    """Compare chunk widths by area and time.

    The cost is logic cells × beats per product, at several precisions. The processing element has 16 lanes, and 8-bit
    magnitudes or the next multiple of its chunks.
    """
    costs = measure_pairs(target, QUICK_PAIRS if options.quick else PAIRS, runner=options.runner("chunk-widths"))
    options.report(
        settings={"target": target},
        rows=[attrs.asdict(cost) | {f"{a}x{b}": cost.cost((a, b)) for a, b in MIXES} for cost in costs],
        tables=[to_pair_table(costs)],
        draw=lambda file: plot_pairs(costs, file),
    )
