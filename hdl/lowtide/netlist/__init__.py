"""Netlist: writes each distinct unit as one module, however often it is instantiated."""

from lowtide.netlist.netlist import Netlist
from lowtide.netlist.structure import Structure
from lowtide.netlist.unit import Unit, place, signals

__all__ = ["Netlist", "Structure", "Unit", "place", "signals"]
