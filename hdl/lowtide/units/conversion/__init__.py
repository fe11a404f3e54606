"""Conversion between floating point and block floating point."""
