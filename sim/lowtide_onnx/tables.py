"""Tables: framed on a terminal, plain columns elsewhere."""

import io
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

__all__ = ["new_table", "print_table", "table_text"]

WIDTH = 250
"""Characters of a line that is not written to a terminal: enough for each table."""


def new_table(title: str, words: Sequence[str], figures: Sequence[str]) -> Table:
    """An empty table with left-aligned columns of words, then right-aligned columns of figures."""
    table = Table(title=title.replace("[", r"\["), title_justify="left", title_style="bold")
    for heading in words:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def table_text(table: Table) -> str:
    """The table as plain columns."""
    table.box = None
    text = io.StringIO()
    Console(file=text, width=WIDTH, markup=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def print_table(table: Table) -> None:
    """Print to standard output."""
    if sys.stdout.isatty():
        Console(markup=False).print(table)
    else:
        print(table_text(table))
