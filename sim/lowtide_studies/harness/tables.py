"""Tables, framed on a terminal, otherwise plain columns that other programs can read; and the texts of figures."""

import math
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from lowtide_studies.harness.statistics import Difference, Summary

__all__ = ["counted", "mean_and_error", "new_table", "print_tables", "signed", "signed_and_error", "with_error"]

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


def mean_and_error(figures: Summary | Difference) -> str:
    """Mean and standard error with a true minus; a mean that rounds to zero has no sign."""
    return with_error(f"{round(figures.mean, 2) + 0.0:.2f}", figures.error).replace("-", "−")


def signed_and_error(difference: Difference) -> str:
    """Mean with its sign, and standard error."""
    return with_error(signed(difference.mean), difference.error)


def with_error(mean: str, error: float, form: str = ".2f") -> str:
    """A mean and its standard error; the mean alone where there is no error, as with one seed."""
    return mean if math.isnan(error) else f"{mean} ± {error:{form}}"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus; a number that rounds to zero has a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def counted(count: int, noun: str) -> str:
    """A number of things, such as "1 seed" or "5 seeds"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
