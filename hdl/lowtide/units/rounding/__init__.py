"""Rounding of magnitudes."""
