"""Tables of training at equal area."""

from collections.abc import Sequence
from math import isnan

from rich.table import Table

from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area.study import Cost
from lowtide_studies.harness.tables import new_table

__all__ = ["equal_area_table"]


def equal_area_table(rows: Sequence[Cost], run: Run, accuracy: float, *, beside: bool) -> Table:
    """One row per candidate, the reference first; with ``beside``, the other parts of the engine are counted."""
    reference, targets = rows[0], list(rows[0].cells)
    headings = (
        *(f"Cells,\n{target}" for target in targets),
        "Cycles,\nmillions",
        *(heading for target in targets for heading in (f"Cells × cycles,\n{target}, 10⁹", "Times")),
        "Seeds that\nreach it",
    )
    converters = f"{'with' if beside else 'without'} converters and buffers"
    title = f"{run.network}, {run.steps} steps: cells × cycles to {accuracy:g} %, {converters}"
    caption = f"Times: cells × cycles relative to {reference.candidate.schedule}"
    table = new_table(title, ("Schedule", "Unit"), headings, caption)
    for row in rows:
        style = "bold" if row is reference else ""
        table.add_row(row.candidate.schedule, row.candidate.name, *_figures(row, reference, beside), style=style)
    return table


def _figures(row: Cost, reference: Cost, beside: bool) -> list[str]:
    cells = [f"{its.total(beside):,.0f}" for its in row.cells.values()]
    figures = ["" if isnan(row.cycles) else f"{row.cycles / 1e6:.1f}"]
    for target in row.cells:
        if isnan(row.cycles):
            figures += ["", ""]
        else:
            product = f"{row.area_time(target, beside=beside) / 1e9:.2f}"
            figures += [product, "" if row is reference else f"{row.times(reference, target, beside=beside):.2f}"]
    return [*cells, *figures, f"{row.reached} of {row.seeds}"]
