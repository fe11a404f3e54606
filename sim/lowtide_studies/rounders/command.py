"""``lowtide rounders``: what stochastic rounding costs a lane."""

import json
import sys
from pathlib import Path

import attrs
import click
from rich.console import Console

from lowtide.synthesis import Cache, versions
from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.rounders.study import EXTENTS, measure_rounders, to_rounder_table

__all__ = ["rounders"]

EXAMPLES = """\b
Examples:
  lowtide rounders
  lowtide rounders --target ecp5 --json
"""


@click.command(epilog=EXAMPLES)
@click.option("--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def rounders(target: str, as_json: bool) -> None:
    """Compare stochastic rounders, each with its share of the generator.

    Three figures each: of the decision alone, with the rounded magnitude, and with that held at the largest.

    From 24 random bits a lane down to three that many lanes share, or none. The first row is the reference.
    """
    with Console(stderr=True).status("starting") as status:
        costs = list(measure_rounders(target, cache=Cache(Path("build/cache")), progress=status.update))
    if as_json:
        rows = [
            attrs.asdict(cost) | {"extents": EXTENTS, "a_lane": [cost.a_lane(extent) for extent in EXTENTS]}
            for cost in costs
        ]
        click.echo(json.dumps({"versions": dict(versions()), "rows": rows}, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(to_rounder_table(costs))
