"""Commands for a device that is plugged in, or simulated."""

import json
import sys
import time

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.options import Whole
from lowtide.cli.progress import progress_bar
from lowtide.engine.seeds import SEEDS
from lowtide_boards.driver.baud import BAUDS
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.self_test import self_test

__all__ = ["info", "selftest"]

PORT = click.option(
    "--port", metavar="NAME", help="Its port, as /dev/ttyUSB0.  [default: LOWTIDE_PORT, or the only one on USB]"
)
BAUD = click.option(
    "--baud",
    type=Whole("baud", BAUDS),
    metavar="RATE",
    help="Rate of the line, in baud.  [default: the fastest that works]",
)


@click.command(epilog="\b\nExamples:\n  lowtide info\n  lowtide info --port /dev/ttyUSB0 --json\n")
@PORT
@BAUD
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def info(port: str | None, baud: int | None, as_json: bool) -> None:
    """Say what the device at a port is."""
    with Device.open(port, baud=baud) as device:
        found = device.info()
    if as_json:
        click.echo(json.dumps(attrs.asdict(found), indent=2))
        return
    table = Table(show_header=False)
    table.add_row("port", found.port)
    table.add_row("clock", f"{found.clock:,} Hz")
    table.add_row("line", f"{found.baud:,} baud")
    table.add_row("configuration", found.digest)
    for section, values in found.config.items():
        for key, value in values.items():
            table.add_row(f"{section}.{key}", str(value))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


@click.command(epilog="\b\nExamples:\n  lowtide selftest\n  lowtide selftest --products 100 --seed 7\n")
@PORT
@BAUD
@click.option(
    "--products", type=Whole("products", range(1, 10**6 + 1)), default=8, show_default=True, help="How many to make."
)
@click.option("--seed", type=Whole("seed", SEEDS), default=1, show_default=True, help="Of the random products.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def selftest(port: str | None, baud: int | None, products: int, seed: int, as_json: bool) -> None:
    """Make random products on a device, and hold every word against the golden model."""
    started = time.perf_counter()
    with Device.open(port, baud=baud) as device, progress_bar() as bar:
        task = bar.add_task("Products", total=products)
        words = self_test(device, products, seed, lambda done: bar.update(task, completed=done))
        seconds = time.perf_counter() - started
        found = {"port": device.name, "products": products, "words": words, "seconds": round(seconds, 1)}
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{found['port']}: {words} words of {products} products are right, in {seconds:.1f} s")
