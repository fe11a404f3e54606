"""Rounders of magnitudes."""
