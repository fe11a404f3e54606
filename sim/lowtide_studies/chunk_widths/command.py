"""``lowtide study chunk-widths``."""

import attrs
import click

from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.chunk_widths.study import MIXES, PAIRS, QUICK_PAIRS, measure_pairs, plot_pairs, to_pair_table
from lowtide_studies.harness.options import StudyOptions, study_options

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide study chunk-widths
  lowtide study chunk-widths --target ecp5 --output build/ecp5
"""


@click.command("chunk-widths", epilog=EXAMPLES)
@click.option("--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family.")
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
