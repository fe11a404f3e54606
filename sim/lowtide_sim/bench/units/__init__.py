"""Benches of single units."""
