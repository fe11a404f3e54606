"""Engines compiled from emitted Verilog."""
