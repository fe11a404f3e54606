"""Simulated devices with a serial line."""
