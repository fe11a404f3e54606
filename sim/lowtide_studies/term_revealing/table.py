"""Tables and sentences of the study."""

from collections.abc import Iterator

from rich.table import Table

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.statistics import Summary, mean_and_error
from lowtide_studies.harness.tables import new_table
from lowtide_studies.term_revealing.area_time import INFERRED, Measured, area_time
from lowtide_studies.term_revealing.selection import ALLOWED, COMPARED, COSTS, MARGIN, cheapest, effects, front
from lowtide_studies.term_revealing.study import Study
from lowtide_studies.term_revealing.sweep import Point, Sweep
from lowtide_studies.term_revealing.term_pairs import plain_pairs

__all__ = ["area_table", "sentences", "tables"]

BUDGETS = (0.75, 1, 1.25, 1.5, 2)
"""``k / g`` at which groups and encodings are compared."""


def tables(study: Study) -> Iterator[Table]:
    """Plain quantization, cheapest settings, fronts and effects at the most bits, and fewer bits without terms."""
    yield _plain_table(study)
    yield _cheapest_table(study)
    for sweep in study.widest:
        yield _front_table(sweep)
        yield _effect_table(sweep, "group")
        yield _effect_table(sweep, "encoding")
    yield _narrower_table(study)


def area_table(measured: Measured) -> Table:
    """Area times time of each element at the selected setting."""
    cells = measured.cells
    table = new_table(
        f"{measured.network}, {measured.width} bits: area times time per product at {measured.setting} on "
        f"{measured.target}",
        ("Element",),
        ("Cells", "DSP", "Cycles\nper product", "Cells ×\ncycles", f"Times smaller\nthan {INFERRED}"),
    )
    for row in area_time(cells, measured.setting):
        # The area of a DSP block in logic cells is not defined.
        comparable = INFERRED in cells and not row.cells.dsps
        less = f"{cells[INFERRED].logic / row.product:.2f}" if comparable else ""
        figures = (str(row.cells.logic), str(row.cells.dsps), f"{row.cycles:.2f}", f"{row.product:.0f}", less)
        table.add_row(row.element, *figures)
    return table


def _plain_table(study: Study) -> Table:
    table = new_table(
        f"plain quantization: {len(study.seeds)} seeds, split {study.split}, held-out images",
        ("Network", "Bits"),
        ("FP32\n%", "Plain\n%", "Pairs per product,\nall bits", *(f"Nonzero pairs,\n{name}" for name in ENCODINGS)),
    )
    for sweep in study.sweeps:
        present = [f"{Summary.of(sweep.plain.present[name]).mean:.2f}" for name in ENCODINGS]
        accuracies = [mean_and_error(Summary.of(values)) for values in (sweep.plain.fp32, sweep.plain.held_out)]
        table.add_row(sweep.network, str(sweep.width), *accuracies, str(plain_pairs(sweep.width)), *present)
    return table


def _cheapest_table(study: Study) -> Table:
    table = new_table(
        f"cheapest settings: validation loss of {ALLOWED} points or less with {MARGIN} standard errors",
        ("Network", "Bits", "Cheapest by", "Setting"),
        (
            "Validation\nloss",
            "Held-out\nloss",
            "k/g",
            "Pairs at most,\nk·s/g",
            "Times\nfewer",
            "Times fewer,\nshort groups",
            "Nonzero\npairs",
            "Times fewer nonzero\nbinary | HESE",
            "Nonzero to bound,\nbinary | HESE",
        ),
    )
    for sweep in study.sweeps:
        for name, cost in COSTS.items():
            point = cheapest(sweep, cost)
            what = (sweep.network, str(sweep.width), name)
            if point is None:
                table.add_row(*what, "none")
            else:
                table.add_row(*what, str(point.setting), *_figures(sweep, point))
    return table


def _figures(sweep: Sweep, point: Point) -> tuple[str, ...]:
    return (
        mean_and_error(sweep.validation_loss(point)),
        mean_and_error(sweep.loss(point)),
        f"{point.setting.cycles:g}",
        f"{point.setting.bound:g}",
        f"{sweep.times_fewer(point):.1f}",
        f"{sweep.times_fewer_at_most(point):.1f}",
        f"{Summary.of(point.present).mean:.2f}",
        f"{sweep.times_fewer_present(point):.2f} | {sweep.times_fewer_present(point, 'hese'):.2f}",
        f"{sweep.present_to_bound(point):.2f} | {sweep.present_to_bound(point, 'hese'):.2f}",
    )


def _front_table(sweep: Sweep) -> Table:
    table = new_table(
        f"{sweep.network}, {sweep.width} bits: Pareto front of pairs and validation loss",
        ("Setting",),
        ("Pairs at most", "Times fewer", "Validation loss", "Held-out loss"),
    )
    for point in front(sweep):
        fewer, losses = f"{sweep.times_fewer(point):.1f}", (sweep.validation_loss(point), sweep.loss(point))
        table.add_row(str(point.setting), f"{point.setting.bound:g}", fewer, *map(mean_and_error, losses))
    return table


def _effect_table(sweep: Sweep, what: str) -> Table:
    fixed = {"group": COMPARED.encoding, "encoding": f"g={COMPARED.group}"}[what]
    table = new_table(
        f"{sweep.network}, {sweep.width} bits: held-out loss by {what}; {fixed}, s={COMPARED.data_terms}",
        (what.capitalize(),),
        (*(f"k/g = {budget:g}" for budget in BUDGETS), "Fewest pairs at most,\nany k and s"),
    )
    for effect in effects(sweep, what):
        points = [effect.by_budget.get(budget) for budget in BUDGETS]
        losses = ["" if point is None else mean_and_error(sweep.loss(point)) for point in points]
        bound = "none" if effect.cheapest is None else f"{effect.cheapest.setting.bound:g}"
        table.add_row(str(effect.value), *losses, bound)
    return table


def _narrower_table(study: Study) -> Table:
    widths = list(study.narrower[0].held_out)
    table = new_table(
        "plain quantization to fewer bits: held-out loss, and pairs of bits per product",
        ("Network",),
        tuple(f"{width} bits,\n{plain_pairs(width)} pairs" for width in widths),
    )
    for narrower in study.narrower:
        losses = [narrower.loss(width, widths[0]) for width in widths]
        table.add_row(narrower.network, *map(mean_and_error, losses))
    return table


def sentences(study: Study) -> Iterator[str]:
    """For each network and width, the saved pairs and the loss of the cheapest setting."""
    for sweep in study.sweeps:
        what = f"{sweep.network}, {sweep.width} bits"
        point = cheapest(sweep)
        if point is None:
            yield f"{what}: no setting loses {ALLOWED} points or less on validation images."
            continue
        yield (
            f"{what}: {point.setting} needs {sweep.times_fewer(point):.1f} times fewer pairs than all bits and "
            f"{sweep.times_fewer_present(point):.1f} times fewer pairs than the nonzero bits. It loses "
            f"{mean_and_error(sweep.loss(point))} points on held-out images."
        )
