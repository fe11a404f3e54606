"""Arithmetic: processing elements and their parts."""
