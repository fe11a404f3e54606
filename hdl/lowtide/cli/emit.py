"""``lowtide emit``: Verilog and its sidecar."""

import json
from pathlib import Path
from typing import Any

import click

from lowtide.cli.options import OutputFolder, integer
from lowtide.config import Config
from lowtide.emission import emit as emit_array
from lowtide.emission import emit_engine, emit_serial, emit_unit
from lowtide.emission.top import ENGINE_BUSES
from lowtide.formats.parameter import value_text

__all__ = ["emit"]

EXAMPLES = """\b
Examples:
  lowtide emit
  lowtide emit tiny -o build/tiny --set array.rows=4
  lowtide emit my.toml -o rtl --name my_array
  lowtide emit --name my_array --prefix my
  lowtide emit --top engine -o build/engine
  lowtide emit --top engine --bus wishbone
  lowtide emit --unit fmac --set lanes=16 --set chunk_a=4
  lowtide emit --no-initial-values
"""


def settings(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Keys and values of a repeatable KEY=VALUE option: integers and booleans as TOML writes them, all else as text."""
    pairs = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{value_text(value)} is not KEY=VALUE")
        found = integer(text)
        pairs[key] = {"true": True, "false": False}.get(text, text) if found is None else found
    return pairs


@click.command(epilog=EXAMPLES)
@click.argument("config", default="default")
@click.option(
    "-o",
    "--output",
    "folder",
    type=OutputFolder("output"),
    default=Path("build/verilog"),
    show_default=True,
    help="Folder to write into; made if need be.",
)
@click.option(
    "--top",
    type=click.Choice(["array", "engine", "serial"]),
    help="The array alone, the engine around it, or that at the end of a serial line.  [default: array]",
)
@click.option(
    "--bus",
    type=click.Choice(ENGINE_BUSES),
    help="What the engine's registers are on.  [default: axi4-lite]",
)
@click.option("--unit", metavar="NAME", help="One unit alone, instead of the array; `lowtide list` has them.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Change a parameter. Repeatable."
)
@click.option("--name", help="Name of the top module.  [default: lowtide_array, lowtide_engine, lowtide_serial]")
@click.option("--prefix", help="Prefix of all other modules' names.  [default: the top module's name]")
@click.option(
    "--initial-values/--no-initial-values",
    default=True,
    show_default=True,
    help="Power-up values of registers; an ASIC has none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def emit(
    config: str,
    folder: Path,
    top: str | None,
    bus: str | None,
    unit: str | None,
    changes: dict[str, Any],
    name: str | None,
    prefix: str | None,
    initial_values: bool,
    as_json: bool,
) -> None:
    """Write the Verilog of CONFIG, or of one of its units, and a JSON sidecar.

    CONFIG is a preset's name or a TOML file. Keys of the array name their section, those of a unit do not. The
    sidecar has the parameters, ports, bit fields, latency and versions.
    """
    base = Config.load(config)
    if bus is not None and (top != "engine" or unit is not None):
        raise click.UsageError("--bus is for --top engine, which alone has registers")
    values = {"initial_values": initial_values}
    if unit is None:
        name = f"lowtide_{top or 'array'}" if name is None else name
        configuration = base.changed(changes)
        if top == "engine":
            files = emit_engine(configuration, folder, name, bus or "axi4-lite", prefix, **values)
        elif top == "serial":
            files = emit_serial(configuration, folder, name, prefix, **values)
        else:
            files = emit_array(configuration, folder, name, prefix, **values)
    elif name is None and top is None:
        files = emit_unit(unit, base, changes, folder, prefix, **values)
    else:
        raise click.UsageError("--name and --top are not for a unit, whose name carries its parameters")
    if as_json:
        click.echo(json.dumps({"files": [str(file) for file in files]}))
        return
    for file in files:
        click.echo(f"{file}  {file.stat().st_size:,} bytes")
