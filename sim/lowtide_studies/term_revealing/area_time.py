"""Area times time: what a product costs on each kind of processing element."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from lowtide_studies.term_revealing.setting import Setting

__all__ = ["ELEMENTS", "INFERRED", "AreaTime", "Cells", "Element", "area_time"]


@attrs.frozen(kw_only=True)
class Cells:
    """Area of an element.

    Parameters
    ----------
    logic : int
        Logic cells, as `lowtide report` counts them, and the look-up tables that RAM and shift registers take.
    dsps : int
        DSP blocks, which come on top.
    """

    logic: int
    dsps: int = 0


@attrs.frozen(kw_only=True)
class Element:
    """A kind of processing element.

    Parameters
    ----------
    unit : str
        Its name in `lowtide.emission.registry.UNITS`.
    changes : dict
        Parameters that make it this kind.
    dsp : bool
        Whether its multiplier may become a DSP block.
    cycles : callable
        Cycles a product under a setting.
    """

    unit: str
    changes: dict[str, Any] = attrs.field(factory=dict)
    dsp: bool = False
    cycles: Callable[[Setting], float] = lambda _: 1.0


INFERRED = "pmac"
"""What the others are compared with: a multiplier of integers, as synthesis makes it of logic."""

ELEMENTS = {
    INFERRED: Element(unit="pmac", changes={"multiplier": "inferred"}),
    "pmac, Booth rows": Element(unit="pmac", changes={"multiplier": "booth"}),
    "pmac, DSP": Element(unit="pmac", changes={"multiplier": "inferred"}, dsp=True),
    "tmac": Element(unit="tmac", cycles=lambda setting: setting.cycles),
    "pair_mac": Element(unit="pair_mac", cycles=lambda setting: setting.bound),
}
"""Kinds by name: a product a cycle; a term of a weight a cycle; a pair of terms a cycle."""


@attrs.frozen(kw_only=True)
class AreaTime:
    """What an element costs a product.

    Parameters
    ----------
    element : str
        One of `ELEMENTS`.
    cells : Cells
    cycles : float
        A product.
    """

    element: str
    cells: Cells
    cycles: float

    @property
    def product(self) -> float:
        """Logic cells times cycles a product; DSP blocks have no place in it."""
        return self.cells.logic * self.cycles


def area_time(cells: Mapping[str, Cells], setting: Setting) -> list[AreaTime]:
    """Area times time of those elements whose cells are known, in the order of `ELEMENTS`."""
    return [
        AreaTime(element=name, cells=cells[name], cycles=element.cycles(setting))
        for name, element in ELEMENTS.items()
        if name in cells
    ]
