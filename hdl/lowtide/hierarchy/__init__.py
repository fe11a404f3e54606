"""Hierarchy: each distinct unit becomes one module, however often it is used."""

from lowtide.hierarchy.netlist import Netlist
from lowtide.hierarchy.structure import Structure
from lowtide.hierarchy.unit import Unit, place, signals

__all__ = ["Netlist", "Structure", "Unit", "place", "signals"]
