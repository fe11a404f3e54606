"""``lowtide board check``."""

import json
from pathlib import Path

import click

from lowtide.cli.options import InputFolder, Whole, json_option, quiet_option
from lowtide.cli.progress import progress_steps
from lowtide.engine.seeds import SEEDS
from lowtide.errors import CommandError, SimulationError, SimulatorMissing
from lowtide_boards.cli.board import FOLDER, board_option
from lowtide_boards.verification.check import STEPS
from lowtide_boards.verification.check import check as check_bitstream

__all__ = ["check"]

EXAMPLES = """\b
Examples:
  lowtide board check
  lowtide board check --board icebreaker --products 20
"""


@click.command("check", epilog=EXAMPLES)
@board_option
@click.option(
    "--folder",
    type=InputFolder("folder"),
    default=FOLDER,
    show_default=True,
    help="Folder of the bitstream: the output of `lowtide board build`.",
)
@click.option(
    "--products",
    type=Whole("products", range(1, 10**6 + 1)),
    default=4,
    show_default=True,
    help="Number of random products.",
)
@click.option("--seed", type=Whole("seed", SEEDS), default=1, show_default=True, help="Seed of the random products.")
@json_option
@quiet_option
def check(name: str, folder: Path, products: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Check a bitstream in simulation, without a board.

    The command turns the bitstream back into a netlist and simulates the netlist with Verilator. The LED for success
    must light up. Then the driver computes products over the simulated serial line, and the golden model checks every
    word. For families without an open tool that reads the bitstream, the command synthesizes the netlist again.
    """
    try:
        with progress_steps(quiet=quiet) as steps:

            def progress(step: str) -> None:
                begun = STEPS.index(step)
                if begun:
                    steps.finish(f"{begun} of {len(STEPS)}: {STEPS[begun - 1]}")
                steps.begin(f"{begun + 1} of {len(STEPS)}: {step}")

            found = check_bitstream(
                name, folder, Path("build/engines"), products=products, seed=seed, progress=progress
            )
            steps.finish(f"{len(STEPS)} of {len(STEPS)}: {STEPS[-1]}")
    except (SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("the self-test passed" if found["self_test"] else "the LED for success is lit")
    click.echo(
        f"{found['file']}: {products} products with {found['words']} words equal the golden model,"
        f" {found['cycles']:,} cycles, {found['seconds']} s"
    )
