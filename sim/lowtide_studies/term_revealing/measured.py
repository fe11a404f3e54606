"""Cells of the processing elements, from synthesis."""

from typing import Any

import attrs

from lowtide.config import Config
from lowtide.emission.registry import UNITS
from lowtide.synthesis import Cache, synthesize
from lowtide.synthesis.parts import unit_alone
from lowtide_studies.term_revealing.area_time import ELEMENTS, Cells, area_time
from lowtide_studies.term_revealing.choice import cheapest
from lowtide_studies.term_revealing.setting import Setting
from lowtide_studies.term_revealing.sweep import Sweep

__all__ = ["Measured", "measure", "measure_chosen"]


@attrs.frozen(kw_only=True)
class Measured:
    """Cells of the elements for the setting that was chosen for a network at a width.

    Parameters
    ----------
    network : str
    width : int
        Bits of an integer.
    setting : Setting
    target : str
        FPGA family.
    cells : dict of str to Cells
        By the names of `lowtide_studies.term_revealing.area_time.ELEMENTS`.
    """

    network: str
    width: int
    setting: Setting
    target: str
    cells: dict[str, Cells]

    def to_json(self) -> dict[str, Any]:
        """Plain values, cycles and area times time included."""
        rows = area_time(self.cells, self.setting)
        return attrs.asdict(self) | {
            "area_time": {row.element: {"cycles": row.cycles, "product": row.product} for row in rows}
        }


def measure_chosen(sweeps: list[Sweep], *, target: str, cache: Cache | None = None) -> list[Measured]:
    """Cells for the cheapest setting of each sweep, where there is one."""
    found = []
    for sweep in sweeps:
        point = cheapest(sweep)
        if point is not None:
            cells = measure(point.setting, sweep.width, target=target, cache=cache)
            found.append(
                Measured(network=sweep.network, width=sweep.width, setting=point.setting, target=target, cells=cells)
            )
    return found


def measure(setting: Setting, width: int, *, target: str = "xc7", cache: Cache | None = None) -> dict[str, Cells]:
    """Synthesize the elements, each generated for a setting as far as its parameters go.

    Parameters
    ----------
    setting : Setting
        Group, budgets and encoding.
    width : int
        Bits of an integer.
    target : str
        FPGA family, as of `lowtide report`.
    cache : Cache, optional
        Where results are kept.

    Returns
    -------
    dict of str to Cells
        By the names of `lowtide_studies.term_revealing.area_time.ELEMENTS`.
    """
    cells = {}
    for name, element in ELEMENTS.items():
        keys = {field.name for field in attrs.fields(UNITS[element.unit].parameters)}
        wanted = {key: value for key, value in (attrs.asdict(setting) | {"width": width}).items() if key in keys}
        design = unit_alone(element.unit, Config(), wanted | element.changes)
        area = synthesize(design.verilog, design.top, target, dsp=element.dsp, cache=cache)
        cells[name] = Cells(logic=area.with_memory, dsps=area.dsps)
    return cells
