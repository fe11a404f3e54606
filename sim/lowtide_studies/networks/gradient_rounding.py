"""A rounding that goes on from tensor to tensor, as a random source in hardware does."""

import attrs

from lowtide_model import Stochastic
from lowtide_model.stochastic import Rounds

__all__ = ["GradientRounding"]


class GradientRounding:
    """Hands out a rounding for each tensor, its source as far on as the tensors before have brought it.

    Parameters
    ----------
    rounding : str or Rounds
        What `lowtide_model.quantize` takes.
    """

    def __init__(self, rounding: str | Rounds):
        self._next = rounding

    def take(self, rows: int, elements: int) -> str | Rounds:
        """The rounding of the next tensor, of so many rows of so many elements, those of padding included."""
        rounding = self._next
        if isinstance(rounding, Stochastic):
            self._next = attrs.evolve(
                rounding,
                first_row=rounding.first_row + rows,
                first_step=rounding.first_step + rows * elements // rounding.lanes,
            )
        return rounding
