"""Simulated devices behind a serial line."""
