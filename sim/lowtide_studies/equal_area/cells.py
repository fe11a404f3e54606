"""Cells of multiply-accumulates, and of what an engine has beside them, from synthesis."""

from collections.abc import Callable, Sequence
from functools import cache as once

from lowtide.config import Config
from lowtide.synthesis import Cache, Design, measure
from lowtide.synthesis.parts import engine_parts_of, unit_alone
from lowtide_studies.equal_area.study import BESIDE, CANDIDATES, Candidate, Cells

__all__ = ["measure_cells"]


def measure_cells(
    config: Config,
    targets: Sequence[str],
    *,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, dict[str, Cells]]:
    """Cells of each candidate, without DSP blocks; block RAM is not counted.

    Parameters
    ----------
    config : Config
        The engine. What it has beside its array is shared out among the array's elements.
    targets : sequence of str
        FPGA families.
    cache, progress
        As for `lowtide.synthesis.measure`.

    Returns
    -------
    dict of str to dict of str to Cells
        By names of candidates and FPGA families.
    """

    def cells_of(design: Design) -> dict[str, int]:
        rows = measure([design], targets, fmax=False, cache=cache, progress=progress)
        return {row.area.target: row.area.logic_cells for row in rows}

    @once
    def parts_of(changes: tuple[tuple[str, int], ...]) -> dict[str, dict[str, int]]:
        parts = engine_parts_of(config.changed(dict(changes)))
        return {part.name: cells_of(part) for part in parts if part.name in BESIDE}

    def measured(candidate: Candidate) -> dict[str, Cells]:
        unit = cells_of(unit_alone(candidate.unit, config, candidate.changes))
        parts = parts_of(tuple(candidate.engine.items())) if candidate.beside else {}
        return {target: Cells(unit=unit[target], beside=_share(candidate, parts, target, config)) for target in targets}

    return {candidate.name: measured(candidate) for candidate in {c.name: c for c in CANDIDATES}.values()}


def _share(candidate: Candidate, parts: dict[str, dict[str, int]], target: str, config: Config) -> float:
    """Cells of what a candidate needs beside it, for one of the array's elements."""
    cells = sum(BESIDE[part] * parts[part][target] for part in candidate.beside)
    return cells / (config.array.rows * config.array.columns)
