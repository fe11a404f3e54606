"""Requantization: accumulators become integers again."""
