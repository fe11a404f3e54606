"""What a normaliser must answer, from the accumulators that were seen to be offered to it."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from lowtide_sim.golden import scaled_to_fp32

__all__ = ["Beat", "NormaliserModel"]


@attrs.frozen
class Beat:
    """Numbers that come together: the payload, and how many of them left the range."""

    payload: int
    overflows: int
    underflows: int


class NormaliserModel:
    """The golden model, an accumulator or a row of them at a time.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the normaliser.
    expect : function
        Called with each `Beat` that is due.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[Beat], None]):
        parameters = sidecar["parameters"]
        self.expect, self.width = expect, parameters["width"]
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.get("columns", 1), parameters.get("normalisers", 1)

    def saw(self, data: int, scale: int) -> None:
        """A row is offered, or a single accumulator; ``last`` is above its words."""
        last = data >> self.columns * self.width
        accs = [self._signed(data >> column * self.width) for column in range(self.columns)]
        for first in range(0, self.columns, self.lanes):
            result = scaled_to_fp32(np.array(accs[first : first + self.lanes], object), scale)
            numbers = sum(bits << 32 * lane for lane, bits in enumerate(result.values.view(np.uint32).tolist()))
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            self.expect(Beat(numbers | marks << 32 * self.lanes, result.overflows, result.underflows))

    def _signed(self, word: int) -> int:
        bits = word & (1 << self.width) - 1
        return bits - (bits >> self.width - 1 << self.width)
