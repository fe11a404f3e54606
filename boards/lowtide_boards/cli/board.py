"""``lowtide board list``, ``build`` and ``flash``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.options import InputFolder, Whole, json_option, output_option, quiet_option, set_option
from lowtide.cli.progress import progress_steps
from lowtide.config import Config
from lowtide_boards.targets.board import BOARDS, DEFAULT, board_of
from lowtide_boards.targets.flash import bitstream_in
from lowtide_boards.targets.flash import flash as load

__all__ = ["build", "cells_table", "flash", "list_"]

FOLDER = Path("build/bitstream")

LIST_EXAMPLES = """\b
Examples:
  lowtide board list
  lowtide board list --json
"""

BUILD_EXAMPLES = """\b
Examples:
  lowtide board build
  lowtide board build --board icebreaker
  lowtide board build --board ulx3s --set array.rows=4 --set array.columns=4 -o build/small
"""

FLASH_EXAMPLES = """\b
Examples:
  lowtide board flash
  lowtide board flash --board icebreaker
  lowtide board flash --board ulx3s --keep
"""

board_option = click.option(
    "--board", "name", default=DEFAULT, show_default=True, metavar="NAME", help=f"Board: {', '.join(BOARDS)}."
)


@click.command("list", epilog=LIST_EXAMPLES)
@json_option
def list_(as_json: bool) -> None:
    """List the supported boards."""
    if as_json:
        click.echo(json.dumps({name: _plain(name) for name in BOARDS}, indent=2))
        return
    table = Table("board", "title", "FPGA", "family", "preset")
    for name, board in BOARDS.items():
        table.add_row(name, board.title, board.chip_name, board.chip.family, board.preset)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _plain(name: str) -> dict[str, Any]:
    board = BOARDS[name]
    chip = {"name": board.chip_name, **attrs.asdict(board.chip)}
    return {"title": board.title, "chip": chip, "preset": board.preset, "tools": board.tools}


@click.command("build", epilog=BUILD_EXAMPLES)
@click.argument("config", required=False)
@set_option
@board_option
@click.option("--seed", type=Whole("seed", range(1, 2**31)), help="Placer seed.  [default: by board]")
@click.option("--self-test/--no-self-test", default=None, help="Self-test after reset.  [default: by board]")
@output_option(str(FOLDER), "Folder of the bitstream.")
@json_option
@quiet_option
def build(
    config: str | None,
    changes: dict[str, Any],
    name: str,
    seed: int | None,
    self_test: bool | None,
    output: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Build a bitstream.

    The bitstream has a matrix engine with a UART. CONFIG is a preset or a TOML file, by default the preset of the
    board. The command writes all files or none.
    """
    from lowtide_boards.targets.build import STEPS  # here: flash does not need what this module imports
    from lowtide_boards.targets.build import build as build_bitstream

    board = board_of(name)
    with progress_steps(quiet=quiet) as steps:

        def progress(step: str) -> None:
            begun = STEPS.index(step)
            if begun:
                steps.finish(f"{begun} of {len(STEPS)}: {STEPS[begun - 1]}")
            steps.begin(f"{begun + 1} of {len(STEPS)}: {step}")

        chosen = Config.load(config or board.preset).changed(changes)
        facts = build_bitstream(name, chosen, output, seed=seed, self_test=self_test, progress=progress)
        if "fmax" in facts:
            steps.finish(f"{len(STEPS)} of {len(STEPS)}: {STEPS[-1]}")
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    if "fmax" in facts:
        Console().print(cells_table(facts["placed"]))
        click.echo(f"clock {facts['clock'] / 1e6:g} MHz, fmax {facts['fmax']} MHz")
    else:
        click.echo("Vivado project; build it with: vivado -mode batch -source top.tcl")
    for file in facts["files"]:
        click.echo(file)


def cells_table(placed: Mapping[str, Mapping[str, int]]) -> Table:
    """Used and available cells of each kind. The share is a dash if nextpnr counts no cell of the kind as available."""
    table = Table("cells", "used", "available", "%")
    for kind, cells in placed.items():
        used, available = cells["used"], cells["available"]
        table.add_row(kind, f"{used:,}", f"{available:,}", f"{used / available:.0%}" if available else "–")
    return table


@click.command("flash", epilog=FLASH_EXAMPLES)
@board_option
@click.option(
    "--folder",
    type=InputFolder("folder"),
    default=FOLDER,
    show_default=True,
    help="Folder of the bitstream: the output of `lowtide board build`.",
)
@click.option("--keep", is_flag=True, help="Flash memory as destination: the bitstream survives power-off.")
@json_option
@quiet_option
def flash(name: str, folder: Path, keep: bool, as_json: bool, quiet: bool) -> None:
    """Load a bitstream onto a board.

    openFPGALoader loads the bitstream; its output appears on stderr.
    """
    file = bitstream_in(folder, name)
    load(name, file, keep=keep, show=lambda text: None if quiet else click.echo(text, nl=False, err=True))
    if as_json:
        click.echo(json.dumps({"board": name, "file": str(file), "kept": keep}))
    else:
        click.echo(f"loaded {file} onto {board_of(name).title}")
