"""Rounding whose random source continues from tensor to tensor, as in hardware."""

import attrs

from lowtide_model import Stochastic
from lowtide_model.stochastic import RoundingMethod

__all__ = ["GradientRounding"]


class GradientRounding:
    """Gives a rounding for each tensor; the source continues from the previous tensors.

    Parameters
    ----------
    rounding : str or RoundingMethod
        A rounding of `lowtide_model.quantize`.
    """

    def __init__(self, rounding: str | RoundingMethod):
        self._next = rounding

    def take(self, rows: int, elements: int) -> str | RoundingMethod:
        """The rounding of the next tensor, by its number of rows, and of elements per row with padding."""
        rounding = self._next
        if isinstance(rounding, Stochastic):
            self._next = attrs.evolve(
                rounding,
                first_row=rounding.first_row + rows,
                first_step=rounding.first_step + rows * elements // rounding.lanes,
            )
        return rounding
