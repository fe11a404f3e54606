"""Training at equal area as tables, for a terminal."""

from collections.abc import Sequence
from math import isnan

from rich.table import Table

from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area.study import Cost

__all__ = ["equal_area_table"]


def equal_area_table(rows: Sequence[Cost], run: Run, accuracy: float, *, beside: bool) -> Table:
    """A row a candidate, the reference first.

    Parameters
    ----------
    rows : sequence of Cost
        As of `lowtide_studies.equal_area.study.costs`.
    run : Run
        One of those that were compared, for its network and steps.
    accuracy : float
        That is reached, in per cent.
    beside : bool
        Whether what an engine has beside its array is counted.
    """
    reference, targets = rows[0], list(rows[0].cells)
    table = Table(
        title=f"{run.network}, {run.steps} steps: cells × cycles to {accuracy:g} %,"
        f" {'with' if beside else 'without'} converters and buffers",
        caption=f"Cycles in millions, cells × cycles in thousands of millions; times: in those of"
        f" {reference.candidate.schedule}",
        title_justify="left",
        title_style="bold",
        caption_justify="left",
    )
    table.add_column("Trained by")
    table.add_column("Unit")
    for heading in (
        *(f"Cells,\n{target}" for target in targets),
        "Cycles",
        *(heading for target in targets for heading in (f"Cells × cycles,\n{target}", "Times")),
        "Seeds that\nreach it",
    ):
        table.add_column(heading, justify="right")
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
