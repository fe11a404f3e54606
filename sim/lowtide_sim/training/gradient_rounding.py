"""A rounding that goes on from tensor to tensor, as a random source in hardware does."""

import attrs

from lowtide_sim.golden import Stochastic
from lowtide_sim.golden.stochastic import Rounds

__all__ = ["GradientRounding"]


class GradientRounding:
    """Hands out a rounding for each tensor, its source as far on as the rows before have brought it.

    Of a source without rows the place at which a tensor starts is as if all rows before had been as long as its own.

    Parameters
    ----------
    rounding : str or Rounds
        What `lowtide_sim.golden.quantise` takes.
    """

    def __init__(self, rounding: str | Rounds):
        self._next = rounding

    def take(self, rows: int) -> str | Rounds:
        """The rounding of the next tensor, of so many rows."""
        rounding = self._next
        if isinstance(rounding, Stochastic):
            self._next = attrs.evolve(rounding, first_row=rounding.first_row + rows)
        return rounding
