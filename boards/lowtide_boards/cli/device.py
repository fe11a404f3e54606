"""``lowtide device info`` and ``test``."""

import json
import sys
import time

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.options import Whole, json_option, quiet_option
from lowtide.cli.progress import progress_bar
from lowtide.engine.seeds import SEEDS
from lowtide_boards.driver.baud import BAUDS
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.self_test import self_test

__all__ = ["info", "test"]

INFO_EXAMPLES = """\b
Examples:
  lowtide device info
  lowtide device info --port /dev/ttyUSB0 --json
"""

TEST_EXAMPLES = """\b
Examples:
  lowtide device test
  lowtide device test --products 100 --seed 7
"""

port_option = click.option(
    "--port", metavar="NAME", help="Serial port (/dev/ttyUSB0).  [default: LOWTIDE_PORT, or the only USB port]"
)
baud_option = click.option(
    "--baud",
    type=Whole("baud", BAUDS),
    metavar="RATE",
    help="Baud rate of the port, in bit/s.  [default: the fastest that works]",
)


@click.command("info", epilog=INFO_EXAMPLES)
@port_option
@baud_option
@json_option
def info(port: str | None, baud: int | None, as_json: bool) -> None:
    """Show a device's configuration."""
    with Device.open(port, baud=baud) as device:
        found = device.info()
    if as_json:
        click.echo(json.dumps(attrs.asdict(found), indent=2))
        return
    table = Table(show_header=False)
    table.add_row("port", found.port)
    table.add_row("clock", f"{found.clock:,} Hz")
    table.add_row("baud rate", f"{found.baud:,} bit/s")
    table.add_row("configuration", found.digest)
    for section, values in found.config.items():
        for key, value in values.items():
            table.add_row(f"{section}.{key}", str(value))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


@click.command("test", epilog=TEST_EXAMPLES)
@port_option
@baud_option
@click.option(
    "--products",
    type=Whole("products", range(1, 10**6 + 1)),
    default=8,
    show_default=True,
    help="Number of random products.",
)
@click.option("--seed", type=Whole("seed", SEEDS), default=1, show_default=True, help="Seed of the random products.")
@json_option
@quiet_option
def test(port: str | None, baud: int | None, products: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Compare random products with the golden model.

    The device computes each product, and the golden model checks every word of the result. The exit code is 1 if a
    word differs.
    """
    started = time.perf_counter()
    with Device.open(port, baud=baud) as device, progress_bar(quiet=quiet) as progress:
        task = progress.add_task("Products", total=products)
        words = self_test(device, products, seed, lambda done: progress.update(task, completed=done))
        seconds = time.perf_counter() - started
        found = {"port": device.name, "products": products, "words": words, "seconds": round(seconds, 1)}
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{found['port']}: {products} products with {words} words equal the golden model, {seconds:.1f} s")
