"""``lowtide emit``: Verilog and a JSON sidecar."""

import json
from pathlib import Path
from typing import Any

import click

from lowtide.cli.options import config_argument, json_option, output_option, set_option, settings
from lowtide.config import Config
from lowtide.emission import emit as emit_array
from lowtide.emission import emit_engine, emit_serial, emit_unit
from lowtide.emission.top import ENGINE_BUSES

__all__ = ["emit", "settings"]

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


@click.command(epilog=EXAMPLES)
@config_argument
@set_option
@click.option(
    "--top",
    type=click.Choice(["array", "engine", "serial"]),
    help="Top module: the array, the engine around it, or the engine with a UART.  [default: array]",
)
@click.option("--bus", type=click.Choice(ENGINE_BUSES), help="Bus of the engine's registers.  [default: axi4-lite]")
@click.option("--unit", metavar="NAME", help="Unit to write instead of a top module; see `lowtide list units`.")
@click.option("--name", help="Name of the top module.  [default: lowtide_array, lowtide_engine, lowtide_serial]")
@click.option("--prefix", help="Prefix of the other modules' names.  [default: name of the top module]")
@click.option(
    "--initial-values/--no-initial-values",
    default=True,
    show_default=True,
    help="Power-up values of registers, which an ASIC does not have.",
)
@output_option("build/verilog", "Folder of the Verilog and the sidecar.")
@json_option
def emit(
    config: str,
    changes: dict[str, Any],
    top: str | None,
    bus: str | None,
    unit: str | None,
    name: str | None,
    prefix: str | None,
    initial_values: bool,
    output: Path,
    as_json: bool,
) -> None:
    """Write Verilog and a JSON sidecar.

    CONFIG is a preset or a TOML file. A key of CONFIG includes its section (array.rows); a key of a unit does not
    (lanes). The sidecar has the parameters, ports, bit fields, latency and versions.
    """
    base = Config.load(config)
    if bus is not None and (top != "engine" or unit is not None):
        raise click.UsageError("--bus needs --top engine: only the engine has registers")
    values = {"initial_values": initial_values}
    if unit is None:
        name = f"lowtide_{top or 'array'}" if name is None else name
        configuration = base.changed(changes)
        if top == "engine":
            files = emit_engine(configuration, output, name, bus or "axi4-lite", prefix, **values)
        elif top == "serial":
            files = emit_serial(configuration, output, name, prefix, **values)
        else:
            files = emit_array(configuration, output, name, prefix, **values)
    elif name is None and top is None:
        files = emit_unit(unit, base, changes, output, prefix, **values)
    else:
        raise click.UsageError("--name and --top exclude --unit: the name of a unit's module has its parameters")
    if as_json:
        click.echo(json.dumps({"files": [str(file) for file in files]}))
        return
    for file in files:
        click.echo(f"{file}  {file.stat().st_size:,} bytes")
