"""Tables: framed on a terminal, otherwise plain columns that other programs can read."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

__all__ = ["new_table", "print_tables"]

WIDTH = 250
"""Characters of a line that is not written to a terminal: enough for each table."""


def new_table(title: str, words: Sequence[str], figures: Sequence[str], caption: str | None = None) -> Table:
    """An empty table with left-aligned columns of words, then right-aligned columns of figures."""
    table = Table(title=title, title_justify="left", title_style="bold", caption=caption, caption_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def print_tables(tables: Iterable[Table]) -> None:
    """Print to standard output."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDTH)
    for table in tables:
        if not terminal:
            table.box = None
        console.print(table)
