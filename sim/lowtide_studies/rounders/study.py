"""What rounding a lane costs, generator included: from 24 random bits down to three that many lanes share."""

from collections.abc import Callable, Iterator, Sequence

import attrs
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out
from rich.table import Table

from lowtide.cache import Cache
from lowtide.emission.folder import verilog_and_modules
from lowtide.netlist import Unit, place
from lowtide.synthesis.yosys import synthesize
from lowtide.units.random.neighbor import Neighbor, NeighborSource
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.rounding.stochastic import StochasticParams

__all__ = ["CASES", "EXTENTS", "Case", "RounderCost", "measure_rounders", "to_rounder_table"]


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
        - ``one word``: all lanes get the same word.
        - ``one word, comparison``: both.
        - ``neighbors``: words are the data of the next lane; there is no generator.
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


EXTENTS = ("decision", "rounded", "held")
"""From the fraction and the word to: whether to round up; the rounded magnitude; the same, held at the largest."""


class Measured(Unit):
    """The rounders and the source of a case, to one of `EXTENTS`."""

    value: Value
    step: Value
    row: Value
    data: Value
    o: Value

    def __init__(self, case: Case, extent: str):
        self.case, self.extent, self.module_name = case, extent, "measured"
        shape = case.shape
        bits = {"decision": 1, "rounded": shape.width + 1, "held": shape.width}[extent]
        ports = {"value": In(shape.lanes * (shape.width + shape.fraction)), "step": In(1), "row": In(1)}
        super().__init__(ports | {"data": In(shape.lanes * shape.random), "o": Out(shape.lanes * bits)})

    def elaborate(self, platform):
        m = Module()
        shape = self.case.shape
        words, results = self._words(m, platform), []
        for lane in range(shape.lanes):
            value = self.value.word_select(lane, shape.width + shape.fraction)
            up, rounded = self._lane(m, platform, lane, value, words.word_select(lane, shape.random))
            held = rounded[: shape.width] | rounded[shape.width].replicate(shape.width)
            results.append({"decision": up, "rounded": rounded, "held": held}[self.extent])
        m.d.comb += self.o.eq(Cat(results))
        return m

    def _words(self, m: Module, platform: object) -> Value:
        """A word a lane."""
        shape = self.case.shape
        if self.case.how == "neighbors":
            neighbor = NeighborSource(Neighbor(lanes=shape.lanes, width=shape.random))
            return place(m, platform, "source", neighbor, data=self.data).words
        alike = shape.lanes if "one word" in self.case.how else 1
        source = RandomSource(attrs.evolve(shape.source, lanes=shape.lanes // alike))
        row = {"row": self.row} if shape.rows else {}
        words = place(m, platform, "source", source, step=self.step, **row).words
        return Cat(words for _ in range(alike))

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
        What was measured.
    target : str
        FPGA family.
    luts, ffs, logic_cells : tuple of int
        Look-up tables, inverters included and on ecp5 those in carry cells, flip-flops, and the report's logic cells,
        for each of `EXTENTS`.
    """

    case: Case
    target: str
    luts: tuple[int, int, int]
    ffs: tuple[int, int, int]
    logic_cells: tuple[int, int, int]

    def a_lane(self, extent: str) -> float:
        """Look-up tables and flip-flops a lane, its share of the generator included."""
        index = EXTENTS.index(extent)
        return (self.luts[index] + self.ffs[index]) / self.case.shape.lanes


def measure_rounders(
    target: str,
    *,
    cases: Sequence[Case] = tuple(CASES),
    cache: Cache | None = None,
    progress: Callable[[str], None] = lambda words: None,
) -> Iterator[RounderCost]:
    """Synthesize the cases; figures one at a time, as they are ready."""
    for number, case in enumerate(cases, 1):
        progress(f"case {number} of {len(cases)} on {target}")
        areas = []
        for extent in EXTENTS:
            text, _ = verilog_and_modules(Measured(case, extent))
            areas.append(synthesize(text, "measured", target, cache=cache))
        yield RounderCost(
            case,
            target,
            tuple(area.tables for area in areas),
            tuple(area.ffs for area in areas),
            tuple(area.logic_cells for area in areas),
        )


def to_rounder_table(costs: Sequence[RounderCost]) -> Table:
    """A row a case: each extent's cells, and how many times smaller than the first row it is."""
    table = Table(
        title=f"rounders on {costs[0].target}: decision | rounded magnitude | held at the largest", title_justify="left"
    )
    for heading in ("D", "r", "source", "lanes"):
        table.add_column(heading, justify="left" if heading == "source" else "right")
    for _ in EXTENTS:
        for heading in ("LUT+FF", "a lane", "smaller"):
            table.add_column(heading, justify="right")
    for cost in costs:
        shape = cost.case.shape
        source = shape.polarity if cost.case.how != "neighbors" else ""
        words = [f"{shape.bits} bits" * (shape.bits != shape.random), source, "rows" * shape.rows]
        words.append(cost.case.how if cost.case.how != "source" else "")
        figures = []
        for extent, luts, ffs in zip(EXTENTS, cost.luts, cost.ffs, strict=True):
            smaller = costs[0].a_lane(extent) / cost.a_lane(extent)
            figures += [f"{luts}+{ffs}", f"{cost.a_lane(extent):.2f}", f"{smaller:.1f}"]
        name = ", ".join(word for word in words if word)
        table.add_row(str(shape.fraction), str(shape.random), name, str(shape.lanes), *figures)
    return table
