"""Systolic array: grid of processing elements, input skew, result drain."""
