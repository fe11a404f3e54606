"""``lowtide chunks``: which chunk widths pay at which precision."""

import json
import sys
from pathlib import Path

import attrs
import click
from rich.console import Console

from lowtide.cli.options import Picture
from lowtide.synthesis import Cache, versions
from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.chunk_widths.study import MIXES, measure_pairs, plot_pairs, to_pair_table

__all__ = ["chunks"]

EXAMPLES = """\b
Examples:
  lowtide chunks
  lowtide chunks --target ecp5 --plot build/chunks-ecp5.png
"""


@click.command(epilog=EXAMPLES)
@click.option("--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family.")
@click.option("--plot", type=Picture("plot"), default=Path("build/chunks.png"), show_default=True, help="Picture.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def chunks(target: str, plot: Path, as_json: bool) -> None:
    """Compare pairs of chunk widths: logic cells × beats a product, at several precisions.

    The processing element has 16 lanes and is generated for 8-bit magnitudes, or the next multiple of its chunks.
    """
    with Console(stderr=True).status("starting") as status:
        costs = list(measure_pairs(target, cache=Cache(Path("build/cache")), progress=status.update))
    plot_pairs(costs, plot)
    if as_json:
        rows = [attrs.asdict(cost) | {f"{a}x{b}": cost.cost((a, b)) for a, b in MIXES} for cost in costs]
        click.echo(json.dumps({"versions": dict(versions()), "rows": rows, "plot": str(plot)}, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(to_pair_table(costs))
        click.echo(f"{plot}")
