"""Benches of the matrix engine, on every bus."""
