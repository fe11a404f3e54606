"""Tables of figures for the terminal, and plain data for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from rich.table import Table
from rich.text import Text

from lowtide.synthesis.measure import Row
from lowtide.synthesis.yosys import Area

__all__ = ["to_plain", "to_table"]

COLUMNS = {
    "logic_cells": "cells",
    "lut_sites": "LUT6 sites",
    "luts": "LUT",
    "ffs": "FF",
    "carries": "carry",
    "dsps": "DSP",
    "brams": "BRAM",
    "lutrams": "LUTRAM",
    "srls": "SRL",
    "transistors": "transistors",
    "cell_area": "area",
    "gates": "gates",
    "memory_bits": "memory bits",
}
PLACED = ["placed", "placed FF"]  # only for targets with these figures
RARE = ("lut_sites", "lutrams", "srls", "memory_bits")  # shown only where there are any


def to_table(rows: Sequence[Row], versions: Mapping[str, str]) -> Table:
    """Return a table for the terminal, with the tool versions below it."""
    shown = [field for field in COLUMNS if _is_shown([getattr(row.area, field, None) for row in rows], field)]
    timed = any(row.timing for row in rows)
    placed = any(row.timing and row.timing.placed for row in rows)
    table = Table(caption=", ".join(f"{tool} {version}" for tool, version in versions.items()), caption_justify="left")
    table.add_column("unit")
    table.add_column("target")
    for heading in [COLUMNS[field] for field in shown] + placed * PLACED + timed * ["fmax, MHz", "min to max"]:
        table.add_column(heading, justify="right")
    for row in rows:
        figures = [_number(getattr(row.area, field, None)) for field in shown]
        table.add_row(Text(row.unit), row.area.target, *figures, *(placed * _placed(row)), *(timed * _speed(row)))
    return table


def to_plain(rows: Sequence[Row], versions: Mapping[str, str]) -> dict[str, Any]:
    """Return all figures as plain dictionaries and lists, ready for JSON."""
    return {"versions": dict(versions), "rows": [_plain(row) for row in rows]}


def _is_shown(figures: Sequence[float | None], field: str) -> bool:
    return any(figures) if field in RARE else any(figure is not None for figure in figures)


def _number(figure: float | None) -> str:
    if figure is None:
        return "–"
    return f"{figure:,.1f}" if isinstance(figure, float) else f"{figure:,}"


def _placed(row: Row) -> list[str]:
    cells = row.timing and row.timing.placed
    return [f"{cells['TRELLIS_COMB']:,}", f"{cells['TRELLIS_FF']:,}"] if cells else ["–", "–"]


def _speed(row: Row) -> list[str]:
    if row.timing is None:
        return ["–", ""]
    return [f"{row.timing.fmax:.1f}", f"{row.timing.slowest:.1f} to {row.timing.fastest:.1f}"]


def _plain(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {"unit": row.unit, "target": row.area.target}
    plain["area"] = attrs.asdict(row.area, filter=attrs.filters.exclude("target"))
    if isinstance(row.area, Area):
        plain["area"]["with_memory"] = row.area.with_memory
    plain["timing"] = None
    if row.timing is not None:
        summary = {"fmax": row.timing.fmax, "slowest": row.timing.slowest, "fastest": row.timing.fastest}
        plain["timing"] = summary | attrs.asdict(row.timing, filter=attrs.filters.exclude("target"))
        plain["timing"]["placed"] = row.timing.placed
    return plain
