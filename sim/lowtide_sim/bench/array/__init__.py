"""Benches of the systolic arrays."""
