"""What each pair of chunk widths costs at each precision: area times time."""

from collections.abc import Callable, Iterator
from math import lcm
from pathlib import Path

import attrs
from rich.table import Table

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.formats.bfp import Bfp
from lowtide.synthesis.yosys import synthesize
from lowtide.units.arithmetic.fmac import Fmac

__all__ = ["MIXES", "PAIRS", "PairCost", "measure_pairs", "plot_pairs", "to_pair_table"]

PAIRS = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 1), (4, 2), (4, 4)]
MIXES = [(2, 2), (4, 2), (4, 4), (8, 8)]


@attrs.frozen
class PairCost:
    """Cost of a processing element for one pair of chunk widths.

    Parameters
    ----------
    chunk_a, chunk_b : int
        Bits of a chunk on either side.
    mantissa : int
        Most magnitude bits that it is generated for: 8, or the next multiple of both chunks.
    lanes : int
        Products it does at once.
    target : str
        FPGA family.
    cells : int
        Its logic cells.
    """

    chunk_a: int
    chunk_b: int
    mantissa: int
    lanes: int
    target: str
    cells: int

    def passes(self, mix: tuple[int, int]) -> int:
        """Beats a group pair takes at ``mix`` magnitude bits: the product of the chunks on either side, rounded up."""
        bits_a, bits_b = mix
        return -(-bits_a // self.chunk_a) * -(-bits_b // self.chunk_b)

    def cost(self, mix: tuple[int, int]) -> float:
        """Logic cells × beats a product."""
        return self.cells * self.passes(mix) / self.lanes


def measure_pairs(
    target: str,
    *,
    lanes: int = 16,
    cache: Cache | None = None,
    progress: Callable[[str], None] = lambda words: None,
) -> Iterator[PairCost]:
    """Synthesize the processing element for each pair of chunk widths; figures one at a time, as they are ready."""
    for chunk_a, chunk_b in PAIRS:
        progress(f"fmac {chunk_a} × {chunk_b} on {target}")
        step = lcm(chunk_a, chunk_b)
        bfp = Bfp(lanes=lanes, chunk_a=chunk_a, chunk_b=chunk_b, mantissa=-(-8 // step) * step)
        unit = Fmac(bfp)
        text, _ = verilog_and_modules(unit)
        area = synthesize(text, unit.module_name, target, cache=cache)
        yield PairCost(chunk_a, chunk_b, bfp.mantissa, lanes, target, area.logic_cells)


def to_pair_table(costs: list[PairCost]) -> Table:
    """Rows of pairs, columns of precisions; the best of each column in bold."""
    table = Table(title=f"fmac on {costs[0].target}: logic cells × beats a product", title_justify="left")
    for heading in ("chunks", "cells"):
        table.add_column(heading, justify="right")
    for mix in MIXES:
        table.add_column(f"{mix[0]} × {mix[1]} bits", justify="right")
    least = {mix: min(cost.cost(mix) for cost in costs) for mix in MIXES}
    for cost in costs:
        figures = [f"{cost.cost(mix):,.1f}" for mix in MIXES]
        marked = [f"[bold]{f}[/]" if cost.cost(m) == least[m] else f for f, m in zip(figures, MIXES, strict=True)]
        table.add_row(f"{cost.chunk_a} × {cost.chunk_b}", str(cost.cells), *marked)
    return table


def plot_pairs(costs: list[PairCost], file: Path) -> None:
    """Draw the table as grouped bars on a logarithmic scale."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    width = 0.8 / len(costs)
    colors = [f"C{n}" for n in range(len(costs))]
    for n, cost in enumerate(costs):
        places = [place + (n - (len(costs) - 1) / 2) * width for place in range(len(MIXES))]
        label = f"{cost.chunk_a} × {cost.chunk_b}"
        axes.bar(places, [cost.cost(mix) for mix in MIXES], width * 0.9, label=label, color=colors[n])
    axes.set_xticks(range(len(MIXES)), [f"{a} × {b}" for a, b in MIXES])
    axes.set_yscale("log")
    axes.set_xlabel("magnitude bits of the operands, A × B")
    axes.set_ylabel("logic cells × beats a product")
    axes.set_title(f"What a product costs, by chunk widths ({costs[0].target}, {costs[0].lanes} lanes)")
    axes.legend(title="chunk bits, A × B", ncols=2)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)
