"""The systolic array: processing elements in a grid, skew and drain."""
