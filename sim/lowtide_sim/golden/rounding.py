"""Rounding modes: how an exact, scaled value becomes an integer magnitude."""

from collections.abc import Callable

import numpy as np

__all__ = ["ROUNDINGS", "Rounding"]

# Rounds an array of exact values in place. Values are rounded by magnitude: f(-x) is -f(x).
Rounding = Callable[..., np.ndarray]

ROUNDINGS: dict[str, Rounding] = {
    "truncate": np.trunc,  # floor(|f|)
    "nearest": np.rint,  # floor(|f| + 1/2), ties to even
}
