"""Cells of the processing elements, from synthesis."""

from typing import Any

import attrs

from lowtide.config import Config
from lowtide.emission.registry import UNITS
from lowtide.report import Cache, synthesise
from lowtide.report.parts import unit_alone
from lowtide_sim.revealing.area_time import ELEMENTS, Cells, Element
from lowtide_sim.revealing.setting import Setting

__all__ = ["measure"]


def measure(setting: Setting, width: int, *, target: str = "xc7", cache: Cache | None = None) -> dict[str, Cells]:
    """Synthesise the elements, each generated for a setting as far as its parameters go.

    An element whose unit there is not, or that has not its parameters, is left out.

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
        By the names of `lowtide_sim.revealing.area_time.ELEMENTS`.
    """
    cells = {}
    for name, element in ELEMENTS.items():
        changes = _changes(element, attrs.asdict(setting) | {"width": width})
        if changes is not None:
            design = unit_alone(element.unit, Config(), changes)
            area = synthesise(design.verilog, design.top, target, dsp=element.dsp, cache=cache)
            cells[name] = Cells(logic=area.logic_cells, dsps=area.dsps)
    return cells


def _changes(element: Element, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Parameters of the element's unit; None if it cannot be made."""
    if element.unit not in UNITS:
        return None
    keys = {field.name for field in attrs.fields(UNITS[element.unit].parameters)}
    if not keys.issuperset(element.changes):
        return None
    return {key: value for key, value in wanted.items() if key in keys} | element.changes
