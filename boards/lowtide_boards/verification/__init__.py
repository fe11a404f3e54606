"""Bitstreams without a board: their netlists, simulated behind a serial line."""
