"""``lowtide device serve``: a simulated device at a pseudo-terminal."""

import json
import signal
from pathlib import Path
from typing import Any

import click

from lowtide.cli.options import OutputLink, json_option, quiet_option, set_option
from lowtide.cli.progress import progress_bar
from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide_sim.serial.pseudo_terminal import PseudoTerminal
from lowtide_sim.serial.simulated_line import SimulatedLine
from lowtide_sim.simulator import SimulationError, SimulatorMissing

__all__ = ["serve"]

CLOCK = 1_843_200
"""Clock of a simulated device in Hz: a simulation runs some hundred thousand cycles per second, and the baud rates
follow from the clock."""

EXAMPLES = """\b
Examples:
  lowtide device serve
  lowtide device serve --link build/device
  lowtide device serve default --set array.rows=4 --set array.columns=4
"""


@click.command("serve", epilog=EXAMPLES)
@click.argument("config", default="tiny")
@set_option
@click.option("--link", type=OutputLink("link"), help="Symbolic link to the port, as a constant name.")
@json_option
@quiet_option
def serve(config: str, changes: dict[str, Any], link: Path | None, as_json: bool, quiet: bool) -> None:
    """Simulate a device at a pseudo-terminal.

    CONFIG is a preset or a TOML file. The command prints the port, which a driver or a serial terminal opens like the
    port of a board. The device is the emitted Verilog in Verilator; its UART is simulated bit by bit at the baud rate
    of the port. The device runs until Ctrl-C.
    """
    made = Config.load(config).changed({"serial.clock": CLOCK} | changes)
    try:
        with progress_bar(quiet=quiet) as progress:
            progress.add_task("Building the device", total=None)
            line = SimulatedLine(made, Path("build/engines"))
    except (SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    terminal = PseudoTerminal(line, link)
    if as_json:
        click.echo(json.dumps({"port": terminal.name, "config": made.to_tables()}))
    else:
        array = made.array
        click.echo(f"{terminal.name}  array of {array.rows} × {array.columns}; Ctrl-C stops the device")
        click.echo(f"test the device: lowtide device test --port {terminal.name}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        terminal.run()
    except KeyboardInterrupt:
        click.echo(
            f"{terminal.sent:,} bytes received, {terminal.received:,} bytes sent, {line.cycles:,} cycles", err=True
        )
    finally:
        terminal.close()
