"""Area of stochastic rounding per lane, generator included: from 24 random bits to three that many lanes share."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import attrs
from amaranth.hdl import Cat, Module, Signal, UnusedElaboratable, Value
from amaranth.lib.wiring import In, Out
from matplotlib.figure import Figure
from rich.table import Table

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.netlist import Unit, place
from lowtide.synthesis.yosys import synthesize
from lowtide.units.random.neighbor import NeighborSource
from lowtide.units.random.params import NeighborParams
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.rounding.stochastic import StochasticParams
from lowtide_studies.harness.jobs import Job, Runner, synthesis_inputs
from lowtide_studies.harness.options import CACHE
from lowtide_studies.harness.plots import BLUE, GREEN, RED, label_rows, log_scale, save_plot, style_axes
from lowtide_studies.harness.tables import new_table

__all__ = ["CASES", "EXTENTS", "QUICK_CASES", "RounderCost", "measure_rounders", "plot_rounders", "to_rounder_table"]

# `place` replaces a unit by an equal one, which leaves the unit without elaboration.
warnings.filterwarnings("ignore", category=UnusedElaboratable, module=r".*[\\/]lowtide_studies[\\/]")


@attrs.frozen(kw_only=True)
class Case:
    """One row of the table.

    Parameters
    ----------
    shape : StochasticParams
        Rounders and source.
    how : str
        - ``source``: as in `StochasticRounder`.
        - ``comparison``: the decision written as a comparison, ``fraction > ~word``.
        - ``one word``: all lanes share one word.
        - ``one word, comparison``: both.
        - ``neighbors``: words are the data of the next lane, without a generator.
    """

    shape: StochasticParams
    how: str = "source"


def _case(
    fraction: int, random: int, polarity: str, lanes: int, how: str = "source", bits: int = 0, rows: bool = False
) -> Case:
    mode = "half_step" if fraction > random else "carry"
    shape = StochasticParams(
        mode=mode, fraction=fraction, random=random, bits=bits or random, polarity=polarity, lanes=lanes, rows=rows
    )
    return Case(shape=shape, how=how)


CASES = [
    _case(24, 24, "plain", 1),
    _case(24, 24, "plain", 1, "comparison"),
    _case(24, 24, "plain", 16, "one word"),
    _case(24, 24, "plain", 16, "one word, comparison"),
    _case(8, 8, "plain", 1),
    _case(8, 8, "time", 1),
    *(_case(3, 3, polarity, 1) for polarity in ("plain", "inverted", "time", "uniform")),
    _case(3, 3, "space", 2),
    _case(3, 3, "space", 14),
    _case(3, 3, "uniform", 8),
    *(_case(8, 3, polarity, 1) for polarity in ("plain", "inverted", "time", "uniform")),
    _case(8, 3, "space", 2),
    _case(8, 3, "space", 14),
    _case(8, 3, "uniform", 8),
    *(_case(fraction, 3, "space", 14, rows=True) for fraction in (3, 8)),
    *(_case(fraction, 3, "space", 16, bits=4, rows=rows) for rows in (False, True) for fraction in (3, 8)),
    *(_case(fraction, 3, "space", 16, "neighbors", bits=4) for fraction in (3, 8)),
]
"""The reference first."""

QUICK_CASES = [CASES[0], CASES[6], CASES[10]]

EXTENTS = ("decision", "rounded", "saturated")
"""Outputs: whether to round up; the rounded magnitude; the rounded magnitude, saturated at the largest value."""


class Measured(Unit):
    """Rounders and source of a case, with one of `EXTENTS` as output."""

    value: Value
    step: Value
    row: Value
    data: Value
    o: Value

    def __init__(self, case: Case, extent: str):
        self.case, self.extent, self.module_name = case, extent, "measured"
        shape = case.shape
        bits = {"decision": 1, "rounded": shape.width + 1, "saturated": shape.width}[extent]
        ports = {"value": In(shape.lanes * (shape.width + shape.fraction)), "step": In(1), "row": In(1)}
        super().__init__(ports | {"data": In(shape.lanes * shape.random), "o": Out(shape.lanes * bits)})

    def elaborate(self, platform):
        m = Module()
        shape = self.case.shape
        words, results = self._words(m, platform), []
        for lane in range(shape.lanes):
            value = self.value.word_select(lane, shape.width + shape.fraction)
            up, rounded = self._lane(m, platform, lane, value, words.word_select(lane, shape.random))
            saturated = rounded[: shape.width] | rounded[shape.width].replicate(shape.width)
            results.append({"decision": up, "rounded": rounded, "saturated": saturated}[self.extent])
        m.d.comb += self.o.eq(Cat(results))
        return m

    def _words(self, m: Module, platform: object) -> Value:
        """One word per lane."""
        shape = self.case.shape
        if self.case.how == "neighbors":
            neighbor = NeighborSource(NeighborParams(lanes=shape.lanes, width=shape.random))
            return place(m, platform, "source", neighbor, data=self.data).words
        sharing = shape.lanes if "one word" in self.case.how else 1
        source = RandomSource(attrs.evolve(shape.source, lanes=shape.lanes // sharing))
        row = {"row": self.row} if shape.rows else {}
        words = place(m, platform, "source", source, step=self.step, **row).words
        return Cat(words for _ in range(sharing))

    def _lane(self, m: Module, platform: object, lane: int, value: Value, word: Value) -> tuple[Value, Value]:
        """Whether to round up, and the rounded magnitude."""
        shape = self.case.shape
        if "comparison" not in self.case.how:
            rounder = place(m, platform, f"lane_{lane}", Rounder(shape.rounder), value=value, random=word)
            return rounder.up, rounder.o
        up = Signal(name=f"up_{lane}")
        m.d.comb += up.eq(value[: shape.fraction] > ~word)
        return up, value[shape.fraction :] + up


@attrs.frozen
class RounderCost:
    """Cells of a case.

    Parameters
    ----------
    case : Case
        The rounders.
    target : str
        FPGA family.
    luts, ffs, logic_cells : tuple of int
        Look-up tables with inverters and, on ecp5, with carry cells; flip-flops; logic cells as in the report. One
        figure for each of `EXTENTS`.
    """

    case: Case
    target: str
    luts: tuple[int, int, int]
    ffs: tuple[int, int, int]
    logic_cells: tuple[int, int, int]

    def per_lane(self, extent: str) -> float:
        """Look-up tables and flip-flops per lane, with its share of the generator."""
        index = EXTENTS.index(extent)
        return (self.luts[index] + self.ffs[index]) / self.case.shape.lanes


def measure_rounders(
    target: str, *, cases: Sequence[Case] = tuple(CASES), runner: Runner | None = None
) -> list[RounderCost]:
    """Synthesize the rounders of each case."""
    inputs, jobs = synthesis_inputs(), []
    for number, case in enumerate(cases, 1):
        for extent in EXTENTS:
            text, _ = verilog_and_modules(Measured(case, extent))
            name = f"rounder {number} of {len(cases)}, {extent}, on {target}"
            jobs.append(Job(name=name, inputs=(*inputs, text, target), function=_cells, arguments=(text, target)))
    results = (runner or Runner()).run("Synthesis", jobs)
    figures = [zip(*results[3 * number : 3 * number + 3], strict=True) for number in range(len(cases))]
    return [RounderCost(case, target, *its) for case, its in zip(cases, figures, strict=True)]


def _cells(verilog: str, target: str) -> tuple[int, int, int]:
    area = synthesize(verilog, "measured", target, cache=Cache(CACHE))
    return area.tables, area.ffs, area.logic_cells


def to_rounder_table(costs: Sequence[RounderCost]) -> Table:
    """One row per case: cells for each output, and the ratio of the first row to this row."""
    headings = ("Lanes", *("LUT+FF", "Per lane", "Times\nsmaller") * len(EXTENTS))
    title = f"Stochastic rounders on {costs[0].target}: decision | rounded magnitude | saturated magnitude"
    table = new_table(title, ("D", "r", "Source"), headings)
    for cost in costs:
        shape, figures = cost.case.shape, []
        for extent, luts, ffs in zip(EXTENTS, cost.luts, cost.ffs, strict=True):
            smaller = costs[0].per_lane(extent) / cost.per_lane(extent)
            figures += [f"{luts}+{ffs}", f"{cost.per_lane(extent):.2f}", f"{smaller:.1f}"]
        table.add_row(str(shape.fraction), str(shape.random), _source(cost.case), str(shape.lanes), *figures)
    return table


def _source(case: Case) -> str:
    shape = case.shape
    words = [f"{shape.bits} bits" * (shape.bits != shape.random)]
    words += [shape.polarity if case.how != "neighbors" else "", "rows" * shape.rows]
    words.append(case.how if case.how != "source" else "")
    return ", ".join(word for word in words if word)


def plot_rounders(costs: Sequence[RounderCost], file: Path) -> None:
    """Draw the area per lane of each case, for each output."""
    figure = Figure(figsize=(8, 1.5 + 0.25 * len(costs)), layout="constrained")
    axes = figure.subplots()
    for extent, color in zip(EXTENTS, (BLUE, GREEN, RED), strict=True):
        areas = [cost.per_lane(extent) for cost in costs]
        axes.plot(areas, range(len(costs)), "o", color=color, alpha=0.8, label=extent)
    shapes = [(cost.case.shape, _source(cost.case)) for cost in costs]
    labels = [f"D = {one.fraction}, r = {one.random}, {source}, {one.lanes} lanes" for one, source in shapes]
    label_rows(axes, labels, fontsize="small")
    log_scale(axes, "x")
    axes.set_xlabel(f"LUT + FF per lane on {costs[0].target}")
    axes.legend(title="output")
    style_axes(axes)
    save_plot(figure, file, "Area of stochastic rounders per lane, generator included")
