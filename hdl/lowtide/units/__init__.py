"""Arithmetic units, one concept a file."""
