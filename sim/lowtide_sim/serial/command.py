"""The ``serve`` command: a simulated device behind a pseudo-terminal."""

import json
import signal
from pathlib import Path
from typing import Any

import click

from lowtide.cli.emit import settings
from lowtide.cli.options import OutputLink
from lowtide.cli.progress import progress_bar
from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide_sim.serial.pseudo_terminal import PseudoTerminal
from lowtide_sim.serial.simulated_line import SimulatedLine
from lowtide_sim.simulator import SimulationError, SimulatorMissing

__all__ = ["serve"]

CLOCK = 1_843_200
"""Of a simulated device: some hundred thousand cycles are simulated in a second, and its rates follow from it."""

EXAMPLES = """\b
Examples:
  lowtide serve
  lowtide serve --link build/device     (a name that stays the same)
  lowtide serve default --set array.rows=4 --set array.columns=4
"""


@click.command(epilog=EXAMPLES)
@click.argument("config", default="tiny")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Change a parameter. Repeatable."
)
@click.option("--link", type=OutputLink("link"), help="A name for the port beside its own: a symbolic link.")
@click.option("--json", "as_json", is_flag=True, help="Print the port as JSON.")
def serve(config: str, changes: dict[str, Any], link: Path | None, as_json: bool) -> None:
    """Simulate a device, with the engine of CONFIG, behind a pseudo-terminal.

    A driver, or a serial terminal, opens the port that is printed as it would that of a board. The device is the
    emitted Verilog in Verilator, its line simulated bit by bit, at the rate to which the port is set. It runs until it
    is interrupted.
    """
    made = Config.load(config).changed({"serial.clock": CLOCK} | changes)
    try:
        with progress_bar() as progress:
            progress.add_task("Building the device", total=None)
            line = SimulatedLine(made, Path("build/engines"))
    except (SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    terminal = PseudoTerminal(line, link)
    if as_json:
        click.echo(json.dumps({"port": terminal.name, "config": made.to_tables()}))
    else:
        array = made.array
        click.echo(f"{terminal.name}  an engine of {array.rows} × {array.columns}; Ctrl-C ends it")
        click.echo(f"try: lowtide selftest --port {terminal.name}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        terminal.run()
    except KeyboardInterrupt:
        click.echo(f"{terminal.sent:,} bytes in, {terminal.received:,} out, {line.cycles:,} cycles", err=True)
    finally:
        terminal.close()
