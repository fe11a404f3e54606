"""Hierarchy: each distinct unit becomes one module, however often it is used."""

from lowtide.netlist.netlist import Netlist
from lowtide.netlist.structure import Structure
from lowtide.netlist.unit import Unit, place, signals

__all__ = ["Netlist", "Structure", "Unit", "place", "signals"]
