"""A study of term revealing as tables, for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.statistics import Summary
from lowtide_studies.term_revealing.area_time import INFERRED, area_time
from lowtide_studies.term_revealing.choice import ALLOWED, MARGIN, cheapest, front
from lowtide_studies.term_revealing.effect import COMPARED, effects
from lowtide_studies.term_revealing.measured import Measured
from lowtide_studies.term_revealing.study import COSTS, Study
from lowtide_studies.term_revealing.sweep import Point, Sweep
from lowtide_studies.term_revealing.term_pairs import plain_pairs
from lowtide_studies.term_revealing.verdict import text

__all__ = ["area_table", "tables"]

BUDGETS = (0.75, 1, 1.25, 1.5, 2)
"""``k / g`` at which groups and encodings are compared."""


def tables(study: Study) -> Iterator[Table]:
    """Plain quantization and the cheapest settings; at the most bits, fronts and effects; fewer bits without terms."""
    yield _plain_table(study)
    yield _cheapest_table(study)
    for sweep in study.widest:
        yield _front_table(sweep)
        yield _effect_table(sweep, "group")
        yield _effect_table(sweep, "encoding")
    yield _narrower_table(study)


def area_table(measured: Measured) -> Table:
    """Area times time of each element at the chosen setting."""
    cells = measured.cells
    table = _table(
        f"{measured.network}, {measured.width} bits: area times time of a product at {measured.setting} on "
        f"{measured.target}",
        ("Element",),
        ("Cells", "DSP", "Cycles\na product", "Cells ×\ncycles", f"Times less\nthan {INFERRED}"),
    )
    for row in area_time(cells, measured.setting):
        # What a DSP block is worth in logic cells, nobody can say.
        comparable = INFERRED in cells and not row.cells.dsps
        less = f"{cells[INFERRED].logic / row.product:.2f}" if comparable else ""
        figures = (str(row.cells.logic), str(row.cells.dsps), f"{row.cycles:.2f}", f"{row.product:.0f}", less)
        table.add_row(row.element, *figures)
    return table


def _plain_table(study: Study) -> Table:
    table = _table(
        f"plain quantization: {len(study.seeds)} seeds, split {study.split}, held-out images",
        ("Network", "Bits"),
        ("FP32\n%", "Plain\n%", "Pairs a product,\nall bits", *(f"really there,\n{name}" for name in ENCODINGS)),
    )
    for sweep in study.sweeps:
        present = [f"{Summary.of(sweep.plain.present[name]).mean:.2f}" for name in ENCODINGS]
        accuracies = [text(Summary.of(values)) for values in (sweep.plain.fp32, sweep.plain.held_out)]
        table.add_row(sweep.network, str(sweep.width), *accuracies, str(plain_pairs(sweep.width)), *present)
    return table


def _cheapest_table(study: Study) -> Table:
    table = _table(
        f"the cheapest settings: {ALLOWED} points lost or less on validation images, {MARGIN} standard errors included",
        ("Network", "Bits", "Cheapest by", "Setting"),
        (
            "Validation\nloss",
            "Held-out\nloss",
            "k/g",
            "Pairs at most,\nk·s/g",
            "Times\nfewer",
            "Short groups\ncounted",
            "Pairs\nthere",
            "Times fewer there\nthan binary | HESE",
            "At most, than\nbinary | HESE",
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
        text(sweep.validation_loss(point)),
        text(sweep.loss(point)),
        f"{point.setting.cycles:g}",
        f"{point.setting.bound:g}",
        f"{sweep.times_fewer(point):.1f}",
        f"{sweep.times_fewer_at_most(point):.1f}",
        f"{Summary.of(point.present).mean:.2f}",
        f"{sweep.times_fewer_present(point):.2f} | {sweep.times_fewer_present(point, 'hese'):.2f}",
        f"{sweep.present_to_bound(point):.2f} | {sweep.present_to_bound(point, 'hese'):.2f}",
    )


def _front_table(sweep: Sweep) -> Table:
    table = _table(
        f"{sweep.network}, {sweep.width} bits: settings that none beats in pairs and validation loss",
        ("Setting",),
        ("Pairs at most", "Times fewer", "Validation loss", "Held-out loss"),
    )
    for point in front(sweep):
        fewer, losses = f"{sweep.times_fewer(point):.1f}", (sweep.validation_loss(point), sweep.loss(point))
        table.add_row(str(point.setting), f"{point.setting.bound:g}", fewer, *map(text, losses))
    return table


def _effect_table(sweep: Sweep, what: str) -> Table:
    fixed = {"group": COMPARED.encoding, "encoding": f"g={COMPARED.group}"}[what]
    table = _table(
        f"{sweep.network}, {sweep.width} bits: held-out loss by {what}; {fixed}, s={COMPARED.data_terms}",
        (what.capitalize(),),
        (*(f"k/g = {budget:g}" for budget in BUDGETS), "Fewest pairs at most,\nany k and s"),
    )
    for effect in effects(sweep, what):
        points = [effect.by_budget.get(budget) for budget in BUDGETS]
        losses = ["" if point is None else text(sweep.loss(point)) for point in points]
        bound = "none" if effect.cheapest is None else f"{effect.cheapest.setting.bound:g}"
        table.add_row(str(effect.value), *losses, bound)
    return table


def _narrower_table(study: Study) -> Table:
    widths = list(study.narrower[0].held_out)
    table = _table(
        "plain quantization to fewer bits: held-out loss, and pairs of bits a product",
        ("Network",),
        tuple(f"{width} bits,\n{plain_pairs(width)} pairs" for width in widths),
    )
    for narrower in study.narrower:
        losses = [narrower.loss(width, widths[0]) for width in widths]
        table.add_row(narrower.network, *map(text, losses))
    return table


def _table(title: str, words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in words:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table
