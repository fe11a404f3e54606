"""Area times time of a product on each kind of processing element, with cells from synthesis."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.emission.registry import UNITS
from lowtide.synthesis import Cache, Design, synthesize
from lowtide.synthesis.parts import unit_alone
from lowtide_studies.harness.jobs import Job, Runner, synthesis_inputs
from lowtide_studies.harness.options import CACHE
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.selection import cheapest
from lowtide_studies.term_revealing.sweep import Sweep

__all__ = ["ELEMENTS", "INFERRED", "Cells", "Measured", "area_time", "measure", "measure_chosen"]


@attrs.frozen(kw_only=True)
class Cells:
    """Logic cells as in `lowtide report`, with the look-up tables of RAM and shift registers; and DSP blocks."""

    logic: int
    dsps: int = 0


@attrs.frozen(kw_only=True)
class Element:
    """A kind of processing element: a unit of `lowtide.emission.registry.UNITS` with parameters.

    With ``dsp``, the multiplier may become a DSP block. The function ``cycles`` gives the cycles per product.
    """

    unit: str
    changes: dict[str, Any] = attrs.field(factory=dict)
    dsp: bool = False
    cycles: Callable[[Setting], float] = lambda _: 1.0


INFERRED = "pmac"
"""Reference: a multiplier of integers, which synthesis builds from logic."""

ELEMENTS = {
    INFERRED: Element(unit="pmac", changes={"multiplier": "inferred"}),
    "pmac, Booth rows": Element(unit="pmac", changes={"multiplier": "booth"}),
    "pmac, DSP": Element(unit="pmac", changes={"multiplier": "inferred"}, dsp=True),
    "tmac": Element(unit="tmac", cycles=lambda setting: setting.cycles),
    "pair_mac": Element(unit="pair_mac", cycles=lambda setting: setting.bound),
}
"""Kinds by name. Per cycle, ``pmac`` computes a product, ``tmac`` a term of a weight, ``pair_mac`` a pair of terms."""


@attrs.frozen(kw_only=True)
class AreaTime:
    """Cost per product on one of `ELEMENTS`: cells, and cycles per product."""

    element: str
    cells: Cells
    cycles: float

    @property
    def product(self) -> float:
        """Logic cells times cycles per product, without DSP blocks."""
        return self.cells.logic * self.cycles


def area_time(cells: Mapping[str, Cells], setting: Setting) -> list[AreaTime]:
    """Area times time of the elements with known cells, in the order of `ELEMENTS`."""
    return [
        AreaTime(element=name, cells=cells[name], cycles=element.cycles(setting))
        for name, element in ELEMENTS.items()
        if name in cells
    ]


@attrs.frozen(kw_only=True)
class Measured:
    """Cells of the elements, by name, for the selected setting of a network at a width, in bits per integer."""

    network: str
    width: int
    setting: Setting
    target: str
    cells: dict[str, Cells]

    def to_json(self) -> dict[str, Any]:
        """Plain values, with cycles and area times time."""
        rows = area_time(self.cells, self.setting)
        return attrs.asdict(self) | {
            "area_time": {row.element: {"cycles": row.cycles, "product": row.product} for row in rows}
        }


def measure_chosen(sweeps: Sequence[Sweep], *, target: str, runner: Runner | None = None) -> list[Measured]:
    """Cells for the cheapest setting of each sweep that has one."""
    chosen = [(sweep, point.setting) for sweep in sweeps if (point := cheapest(sweep)) is not None]
    cells = measure([(setting, sweep.width) for sweep, setting in chosen], target=target, runner=runner)
    return [
        Measured(network=sweep.network, width=sweep.width, setting=setting, target=target, cells=its)
        for (sweep, setting), its in zip(chosen, cells, strict=True)
    ]


def measure(
    settings: Sequence[tuple[Setting, int]], *, target: str = "xc7", runner: Runner | None = None
) -> list[dict[str, Cells]]:
    """Synthesize the elements for settings and widths of integers; cells by the names of `ELEMENTS`."""
    inputs = synthesis_inputs()
    jobs = []
    for setting, width in settings:
        for name, element in ELEMENTS.items():
            design = _design(element, setting, width)
            job_inputs = (*inputs, design.verilog, design.top, target, str(element.dsp))
            arguments = (design, target, element.dsp)
            jobs.append(Job(name=f"{name} on {target}", inputs=job_inputs, function=_cells, arguments=arguments))
    results = iter((runner or Runner()).run("Synthesis", jobs))
    return [{name: Cells(**next(results)) for name in ELEMENTS} for _ in settings]


def _design(element: Element, setting: Setting, width: int) -> Design:
    """The element with the parameters of a setting that it has."""
    keys = {field.name for field in attrs.fields(UNITS[element.unit].parameters)}
    wanted = {key: value for key, value in (attrs.asdict(setting) | {"width": width}).items() if key in keys}
    return unit_alone(element.unit, Config(), wanted | element.changes)


def _cells(design: Design, target: str, dsp: bool) -> dict[str, int]:
    area = synthesize(design.verilog, design.top, target, dsp=dsp, cache=Cache(CACHE))
    return {"logic": area.with_memory, "dsps": area.dsps}
