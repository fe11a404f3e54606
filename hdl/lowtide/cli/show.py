"""``lowtide show``: the parameters of a preset or a unit."""

import json
import sys

import attrs
import click
from rich.console import Console

from lowtide.cli.options import json_option
from lowtide.cli.tables import parameter_table
from lowtide.config import Config, nearest, presets
from lowtide.emission.registry import UNITS, describe
from lowtide.errors import CommandError
from lowtide.formats.parameter import value_text

__all__ = ["show"]

EXAMPLES = """\b
Examples:
  lowtide show tiny
  lowtide show fmac --json
"""


@click.command(epilog=EXAMPLES)
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the parameters of a preset or a unit.

    Each parameter has its default, legal values and meaning; a parameter of a preset also has the preset's value.
    """
    known = presets()
    if name in UNITS:
        kind = UNITS[name]
        found = {"unit": name, "meaning": kind.meaning, "parameters": describe(kind.parameters)}
        tables = [parameter_table(f"Unit {name}: {kind.meaning}", found["parameters"])]
    elif name in known:
        values = Config.load(name).to_tables()
        sections = {field.name: describe(field.type) for field in attrs.fields(Config)}
        found = {"preset": name, "values": values, "configuration": sections}
        tables = [
            parameter_table(f"Preset {name} [{section}]", keys, values[section]) for section, keys in sections.items()
        ]
    else:
        raise CommandError(
            f"no preset or unit {value_text(name)}{nearest(name, [*known, *UNITS])};"
            f" presets: {', '.join(known)}; units: {', '.join(UNITS)}"
        )
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables:
        console.print(table)
