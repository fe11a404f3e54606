"""Benchmarks: speed of emission, of the models and of the compiled engine."""
