"""Boards: clocks, bitstreams, utilization, flashing."""
