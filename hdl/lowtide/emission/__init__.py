"""Emission: from a configuration to a folder of Verilog."""

from lowtide.emission.folder import emit, emit_engine, emit_serial, emit_unit
from lowtide.emission.registry import UNITS, UnitKind

__all__ = ["UNITS", "UnitKind", "emit", "emit_engine", "emit_serial", "emit_unit"]
