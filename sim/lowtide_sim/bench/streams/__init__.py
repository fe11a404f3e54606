"""Drivers and monitors of streams, with random stalls."""
