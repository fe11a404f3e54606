"""The ``reveal`` command: what term revealing buys on networks."""

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from lowtide.cli.options import Names, OutputFolder, Whole, Wholes
from lowtide.cli.progress import progress_bar
from lowtide.paths import check_output_file, check_output_folder
from lowtide.synthesis import Cache
from lowtide.synthesis.yosys import TARGETS
from lowtide_studies.networks.digits import SPLIT
from lowtide_studies.term_revealing.measured import measure_chosen
from lowtide_studies.term_revealing.plot import plot
from lowtide_studies.term_revealing.pretrained import SCHEDULES
from lowtide_studies.term_revealing.setting import settings
from lowtide_studies.term_revealing.study import run_study
from lowtide_studies.term_revealing.table import area_table, tables
from lowtide_studies.term_revealing.verdict import sentences

__all__ = ["reveal"]

CACHE = Path("build/cache")
QUICK_SEEDS, QUICK_GROUPS, QUICK_TERMS = 2, (8, 16), (2, 3)

EXAMPLES = """\b
Examples:
  lowtide reveal
  lowtide reveal --quick
  lowtide reveal --network perceptron --bits 8 --seeds 20 --split 2
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--network",
    "networks",
    type=Names("network", tuple(SCHEDULES)),
    default=",".join(SCHEDULES),
    help=f"Of {', '.join(SCHEDULES)}; all by default.",
)
@click.option(
    "--bits",
    "widths",
    type=Wholes("bits", range(4, 9)),
    default="8,6",
    show_default=True,
    help="Bits of integers, of weights and activations.",
)
@click.option("--seeds", type=Whole("seeds", range(1, 1001)), default=10, show_default=True, help="Seeds, from 0 up.")
@click.option(
    "--split", type=Whole("split", range(1000)), default=SPLIT, show_default=True, help="Which images are held out."
)
@click.option("--by-channel", is_flag=True, help="A scale for each output of a layer, instead of one for all weights.")
@click.option("--quick", is_flag=True, help=f"Only {QUICK_SEEDS} seeds and few settings: to see it work.")
@click.option("--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of tables.")
@click.option(
    "--folder",
    type=OutputFolder("folder"),
    default=Path("build/reveal"),
    show_default=True,
    help="Where picture and results go.",
)
def reveal(
    networks: tuple[str, ...],
    widths: tuple[int, ...],
    seeds: int,
    split: int,
    by_channel: bool,
    quick: bool,
    target: str,
    as_json: bool,
    folder: Path,
) -> None:
    """Reveal terms of trained networks, and count what is saved and lost.

    Small networks learn scikit-learn's handwritten digits in FP32. Quantized to integers, their weights keep the k
    largest terms of each group of g, their activations the s largest of each value, in many settings; nothing is
    trained again. Losses are counted from plain quantization. The cheapest setting is chosen by validation images, and
    judged by others.
    """
    started = time.perf_counter()
    tried = list(settings(groups=QUICK_GROUPS, data_terms=QUICK_TERMS) if quick else settings())
    seeds = min(seeds, QUICK_SEEDS) if quick else seeds
    picture, data = folder / "reveal.png", folder / "reveal.json"
    for file in (picture, data):
        check_output_file(file)
    check_output_folder(CACHE)
    with progress_bar() as progress:
        task = progress.add_task("Revealing", total=len(networks) * len(widths) * seeds * len(tried))
        found = run_study(
            networks,
            widths,
            tried,
            seeds=range(seeds),
            split=split,
            by_channel=by_channel,
            progress=lambda: progress.advance(task),
        )
    measured = measure_chosen(found.sweeps, target=target, cache=Cache(CACHE))
    results = json.dumps(found.to_json() | {"elements": [one.to_json() for one in measured]}, indent=2)
    plot(found, picture)
    data.write_text(results + "\n", encoding="utf-8")
    if as_json:
        click.echo(results)
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    for table in (*tables(found), *map(area_table, measured)):
        console.print(table)
    for sentence in sentences(found):
        click.echo(sentence)
    for file in (picture, data):
        click.echo(file)
    click.echo(f"{time.perf_counter() - started:.0f} s")
