"""``lowtide study rounders``."""

import attrs
import click

from lowtide_studies.harness.options import StudyOptions, study_options, target_option
from lowtide_studies.rounders.study import (
    CASES,
    EXTENTS,
    QUICK_CASES,
    measure_rounders,
    plot_rounders,
    to_rounder_table,
)

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide study rounders
  lowtide study rounders --target ecp5 --json
"""


@click.command("rounders", epilog=EXAMPLES)
@target_option
@study_options("rounders", quick=f"{len(QUICK_CASES)} of {len(CASES)} rounders")
def command(options: StudyOptions, target: str) -> None:
    """Compare the area of stochastic rounders.

    Each rounder is measured with its share of the random generator, and with three outputs: the decision, the rounded
    magnitude, and the magnitude saturated at the largest value. Rounders range from 24 random bits per lane to three
    bits that many lanes share, or none. The first row is the reference.
    """
    cases = QUICK_CASES if options.quick else CASES
    costs = measure_rounders(target, cases=cases, runner=options.runner("rounders"))
    per_lane = [{"extents": EXTENTS, "per_lane": [cost.per_lane(extent) for extent in EXTENTS]} for cost in costs]
    options.report(
        settings={"target": target},
        rows=[attrs.asdict(cost) | figures for cost, figures in zip(costs, per_lane, strict=True)],
        tables=[to_rounder_table(costs)],
        draw=lambda file: plot_rounders(costs, file),
    )
