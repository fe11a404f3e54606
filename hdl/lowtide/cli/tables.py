"""Tables of parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from lowtide.formats.parameter import legal_text

__all__ = ["parameter_table"]


def parameter_table(title: str, keys: Sequence[Mapping[str, Any]], values: Mapping[str, Any] | None = None) -> Table:
    """A table of keys with defaults, legal values and meanings.

    Parameters
    ----------
    title : str
        Title of the table.
    keys : sequence of dict
        Keys, as `lowtide.emission.registry.describe` gives them.
    values : dict, optional
        Value of each key, for a column beside the default.
    """
    columns = ("key", "default") if values is None else ("key", "value", "default")
    table = Table(*columns, "legal", "meaning", title=title.replace("[", r"\["), title_justify="left")
    for key in keys:
        legal = key["legal"]
        words = f"from {legal['from']} to {legal['to']}" if isinstance(legal, dict) else legal_text(legal)
        value = () if values is None else (str(values[key["key"]]),)
        table.add_row(key["key"], *value, str(key["default"]), words, key["meaning"])
    return table
