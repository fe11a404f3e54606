"""``lowtide list``: what can be built, and with which parameters."""

import json
from typing import Any

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.config import Config, presets
from lowtide.emission.registry import UNITS, describe
from lowtide.formats.parameter import legal_text

__all__ = ["catalog", "list_"]

EXAMPLES = """\b
Examples:
  lowtide list
  lowtide list --json
"""


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def list_(as_json: bool) -> None:
    """List presets, configuration keys and units, with defaults and legal values."""
    found = catalog()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    console = Console()
    console.print(f"Presets: {', '.join(found['presets'])}\n")
    for section, keys in found["configuration"].items():
        console.print(_table(f"Configuration [{section}]".replace("[", r"\["), keys))
    for name, unit in found["units"].items():
        console.print(_table(f"Unit {name}: {unit['meaning']}", unit["parameters"]))


def _table(title: str, keys: list[dict[str, Any]]) -> Table:
    table = Table("key", "default", "legal", "meaning", title=title, title_justify="left")
    for key in keys:
        legal = key["legal"]
        words = f"from {legal['from']} to {legal['to']}" if isinstance(legal, dict) else legal_text(legal)
        table.add_row(key["key"], str(key["default"]), words, key["meaning"])
    return table
