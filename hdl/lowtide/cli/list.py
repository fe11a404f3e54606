"""``lowtide list``: presets, configuration keys and units."""

import json
import sys
from typing import Any

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.options import json_option
from lowtide.cli.tables import parameter_table
from lowtide.config import Config, presets
from lowtide.emission.registry import UNITS, describe

__all__ = ["catalog", "list_"]

EXAMPLES = """\b
Examples:
  lowtide list
  lowtide list keys
  lowtide list units --json
"""

PARTS = {"presets": "presets", "keys": "configuration", "units": "units"}
"""Parts of the catalog, by the argument of the command."""


def catalog() -> dict[str, Any]:
    """Presets, sections of a configuration and units, with keys, defaults, legal values and meanings."""
    return {
        "presets": {name: Config.load(name).to_tables() for name in presets()},
        "configuration": {field.name: describe(field.type) for field in attrs.fields(Config)},
        "units": {
            name: {"meaning": kind.meaning, "parameters": describe(kind.parameters)} for name, kind in UNITS.items()
        },
    }


@click.command("list", epilog=EXAMPLES)
@click.argument("part", type=click.Choice(list(PARTS)), required=False)
@json_option
def list_(part: str | None, as_json: bool) -> None:
    """List presets, configuration keys and units.

    Without an argument, list all three. `lowtide show NAME` shows the parameters of a preset or a unit.
    """
    found = catalog()
    if part is not None:
        found = {PARTS[part]: found[PARTS[part]]}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    # Piped, a table keeps its columns whole.
    console = Console(width=None if sys.stdout.isatty() else 160)
    if names := found.get("presets"):
        console.print(f"Presets: {', '.join(names)}\n")
    for section, keys in found.get("configuration", {}).items():
        console.print(parameter_table(f"Configuration [{section}]", keys))
    if units := found.get("units"):
        table = Table("unit", "meaning", title="Units", title_justify="left")
        for name, unit in units.items():
            table.add_row(name, unit["meaning"])
        console.print(table)
