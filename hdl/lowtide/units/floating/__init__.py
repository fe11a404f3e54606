"""Floating-point units: multiply-accumulate baselines."""
