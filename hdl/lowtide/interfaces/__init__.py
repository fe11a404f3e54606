"""Interfaces of an engine: AXI4-Stream, AXI4-Lite, Wishbone, UART."""
