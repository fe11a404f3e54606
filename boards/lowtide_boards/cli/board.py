"""``lowtide bitstream`` and ``lowtide flash``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.emit import settings
from lowtide.cli.options import InputFolder, OutputFolder, Whole
from lowtide.config import Config
from lowtide_boards.targets.board import BOARDS, DEFAULT, board_of
from lowtide_boards.targets.flash import bitstream_in
from lowtide_boards.targets.flash import flash as load

__all__ = ["bitstream", "cells_table", "flash"]

FOLDER = Path("build/bitstream")
BOARD = f"One of {', '.join(BOARDS)}."

BITSTREAM_EXAMPLES = """\b
Examples:
  lowtide bitstream
  lowtide bitstream --board icebreaker
  lowtide bitstream --board ulx3s --set array.rows=4 --set array.columns=4 -o build/small
"""

FLASH_EXAMPLES = """\b
Examples:
  lowtide flash
  lowtide flash --board icebreaker
  lowtide flash --board ulx3s --keep
"""

board_option = click.option("--board", "name", default=DEFAULT, show_default=True, metavar="NAME", help=BOARD)
json_option = click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")


@click.command(epilog=BITSTREAM_EXAMPLES)
@click.argument("config", required=False)
@board_option
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Change a parameter. Repeatable."
)
@click.option("--seed", type=Whole("seed", range(1, 2**31)), default=1, show_default=True, help="Of the placer.")
@click.option("--self-test/--no-self-test", default=None, help="Whether it tests itself after reset.  [by board]")
@click.option(
    "-o",
    "--output",
    "folder",
    type=OutputFolder("output"),
    default=FOLDER,
    show_default=True,
    help="Folder to write bitstreams into.",
)
@json_option
def bitstream(
    config: str | None,
    name: str,
    changes: dict[str, Any],
    seed: int,
    self_test: bool | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Make a bitstream of a matrix engine with a serial line.

    CONFIG is a preset's name or a TOML file; by default the preset that is made for the board. Files appear when all
    is done, or not at all.
    """
    from lowtide_boards.targets.build import STEPS, build  # here, so that flash does without what it imports

    board = board_of(name)
    console = Console(stderr=True)
    with console.status("") as status:

        def progress(step: str) -> None:
            console.print(f"{STEPS.index(step) + 1} of {len(STEPS)}: {step}")
            status.update(f"{step}…")

        chosen = Config.load(config or board.preset).changed(changes)
        facts = build(name, chosen, folder, seed=seed, self_test=self_test, progress=progress)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    if "fmax" in facts:
        Console().print(cells_table(facts["placed"]))
        click.echo(f"{facts['clock'] / 1e6:g} MHz, of {facts['fmax']} MHz that it reaches")
    else:
        click.echo("a project; where Vivado is: vivado -mode batch -source top.tcl")
    for file in facts["files"]:
        click.echo(file)


def cells_table(placed: Mapping[str, Mapping[str, int]]) -> Table:
    """Cells that are used and available, by kind. The share has a dash where the chip counts none as available."""
    table = Table("cells", "used", "available", "%")
    for kind, cells in placed.items():
        used, available = cells["used"], cells["available"]
        table.add_row(kind, f"{used:,}", f"{available:,}", f"{used / available:.0%}" if available else "–")
    return table


@click.command(epilog=FLASH_EXAMPLES)
@board_option
@click.option(
    "--folder",
    type=InputFolder("folder"),
    default=FOLDER,
    show_default=True,
    help="Folder to read the bitstream from: the output of `lowtide bitstream`.",
)
@click.option("--keep", is_flag=True, help="Into flash memory, so that it is there after power-up.")
@json_option
def flash(name: str, folder: Path, keep: bool, as_json: bool) -> None:
    """Load the bitstream of a board onto it, by openFPGALoader."""
    file = bitstream_in(folder, name)
    load(name, file, keep=keep, show=lambda text: click.echo(text, nl=False, err=True))
    if as_json:
        click.echo(json.dumps({"board": name, "file": str(file), "kept": keep}))
    else:
        click.echo(f"{file} is on {board_of(name).title}")
