"""Processing elements: what an array has at every crossing of a row and a column."""
