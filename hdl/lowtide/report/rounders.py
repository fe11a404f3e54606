"""What rounding a lane costs, generator included: from 24 random bits down to three that many lanes share."""

from collections.abc import Callable, Iterator, Sequence

import attrs
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out
from rich.table import Table

from lowtide.emission.folder import verilog_and_modules
from lowtide.hierarchy import Unit, place
from lowtide.report.cache import Cache
from lowtide.report.synthesis import synthesise
from lowtide.units.random.neighbour import Neighbour, NeighbourSource
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.rounding.stochastic import StochasticRounder, StochasticShape

__all__ = ["CASES", "Case", "RounderCost", "measure_rounders", "to_rounder_table"]


@attrs.frozen(kw_only=True)
class Case:
    """One row of the table.

    Parameters
    ----------
    shape : StochasticShape
        Rounders and source.
    how : str
        - ``source``: as `StochasticRounder` is.
        - ``comparison``: the decision written as a comparison, ``fraction > ~word``.
        - ``one word``: all lanes get the same word.
        - ``one word, comparison``: both.
        - ``neighbours``: words are the data of the next lane; there is no generator.
    """

    shape: StochasticShape
    how: str = "source"


def _case(
    fraction: int, random: int, polarity: str, lanes: int, how: str = "source", bits: int = 0, rows: bool = False
) -> Case:
    mode = "half_step" if fraction > random else "carry"
    shape = StochasticShape(
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
    *(_case(fraction, 3, "space", 16, "neighbours", bits=4) for fraction in (3, 8)),
]
"""The reference first."""


class Measured(Unit):
    """The rounders and the source of a case; decisions alone, or with the increment and saturation."""

    value: Value
    step: Value
    row: Value
    data: Value
    up: Value
    o: Value

    def __init__(self, case: Case, whole: bool):
        self.case, self.whole, self.module_name = case, whole, "measured"
        shape = case.shape
        ports = {"value": In(shape.lanes * (shape.width + shape.fraction)), "step": In(1), "row": In(1)}
        ports |= {"data": In(shape.lanes * shape.random), "up": Out(shape.lanes)}
        super().__init__(ports | ({"o": Out(shape.lanes * shape.width)} if whole else {}))

    def elaborate(self, platform):
        m = Module()
        shape = self.case.shape
        if self.case.how == "source":
            row = {"row": self.row} if shape.rows else {}
            unit = StochasticRounder(shape)
            place(m, platform, "rounder", unit, value=self.value, step=self.step, **row)
            results, ups = [unit.o], [unit.up]
        else:
            words = self._words(m, platform)
            results, ups = [], []
            for lane in range(shape.lanes):
                value = self.value.word_select(lane, shape.width + shape.fraction)
                word = words.word_select(lane, shape.random)
                o, up = self._lane(m, platform, lane, value, word)
                results.append(o)
                ups.append(up)
        m.d.comb += self.up.eq(Cat(ups))
        if self.whole:
            m.d.comb += self.o.eq(Cat(results))
        return m

    def _words(self, m: Module, platform: object) -> Value:
        shape = self.case.shape
        if self.case.how == "neighbours":
            neighbour = NeighbourSource(Neighbour(lanes=shape.lanes, width=shape.random))
            return place(m, platform, "source", neighbour, data=self.data).words
        source = RandomSource(attrs.evolve(shape.source, lanes=1))
        word = place(m, platform, "source", source, step=self.step).words
        return Cat(word for _ in range(shape.lanes))

    def _lane(self, m: Module, platform: object, lane: int, value: Value, word: Value) -> tuple[Value, Value]:
        shape = self.case.shape
        if "comparison" not in self.case.how:
            rounder = place(m, platform, f"lane_{lane}", Rounder(shape.rounder), value=value, random=word)
            return rounder.o, rounder.up
        integer, up = value[shape.fraction :], Signal(name=f"up_{lane}")
        m.d.comb += up.eq(value[: shape.fraction] > ~word)
        return (integer + (up & ~integer.all()))[: shape.width], up


@attrs.frozen
class RounderCost:
    """Cells of a case.

    Parameters
    ----------
    case : Case
        What was measured.
    target : str
        FPGA family.
    luts, ffs, logic_cells : tuple of int
        Look-up tables and inverters, flip-flops, and the report's logic cells: of decisions alone, and of the whole.
    """

    case: Case
    target: str
    luts: tuple[int, int]
    ffs: tuple[int, int]
    logic_cells: tuple[int, int]

    def a_lane(self, whole: bool) -> float:
        """Look-up tables and flip-flops a lane, its share of the generator included."""
        return (self.luts[whole] + self.ffs[whole]) / self.case.shape.lanes


def measure_rounders(
    target: str,
    *,
    cases: Sequence[Case] = tuple(CASES),
    cache: Cache | None = None,
    progress: Callable[[str], None] = lambda words: None,
) -> Iterator[RounderCost]:
    """Synthesise the cases; figures one at a time, as they are ready."""
    for number, case in enumerate(cases, 1):
        progress(f"case {number} of {len(cases)} on {target}")
        areas = []
        for whole in (False, True):
            text, _ = verilog_and_modules(Measured(case, whole))
            areas.append(synthesise(text, "measured", target, cache=cache))
        alone, whole = areas
        yield RounderCost(
            case,
            target,
            (alone.luts + alone.cells.get("INV", 0), whole.luts + whole.cells.get("INV", 0)),
            (alone.ffs, whole.ffs),
            (alone.logic_cells, whole.logic_cells),
        )


def to_rounder_table(costs: Sequence[RounderCost]) -> Table:
    """A row a case: its decisions, then the whole, and how many times smaller than the first row either is."""
    table = Table(
        title=f"rounders on {costs[0].target}: decision alone | with increment and saturation", title_justify="left"
    )
    for heading in ("D", "r", "source", "lanes"):
        table.add_column(heading, justify="left" if heading == "source" else "right")
    for _ in range(2):
        for heading in ("LUT", "FF", "a lane", "smaller", "cells"):
            table.add_column(heading, justify="right")
    for cost in costs:
        shape = cost.case.shape
        source = shape.polarity if cost.case.how != "neighbours" else ""
        words = [f"{shape.bits} bits" * (shape.bits != shape.random), source, "rows" * shape.rows]
        words.append(cost.case.how if cost.case.how != "source" else "")
        figures = []
        for whole in (False, True):
            figures += [str(cost.luts[whole]), str(cost.ffs[whole]), f"{cost.a_lane(whole):.2f}"]
            figures += [f"{costs[0].a_lane(whole) / cost.a_lane(whole):.1f}", str(cost.logic_cells[whole])]
        name = ", ".join(word for word in words if word)
        table.add_row(str(shape.fraction), str(shape.random), name, str(shape.lanes), *figures)
    return table
