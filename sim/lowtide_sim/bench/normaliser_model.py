"""What a normaliser must answer, from the accumulators that were seen to be offered to it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lowtide_sim.bench.beat import Beat
from lowtide_sim.bench.fields import signed
from lowtide_sim.bench.row_words import parted
from lowtide_sim.golden import scaled_to_fp32

__all__ = ["NormaliserModel"]


class NormaliserModel:
    """The golden model, an accumulator or a row of them at a time.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the normaliser.
    """

    def __init__(self, sidecar: dict[str, Any]):
        parameters = sidecar["parameters"]
        self.width = parameters["width"]
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.get("columns", 1), parameters.get("normalisers", 1)

    def beats(self, payload: int, scale: int) -> Iterator[Beat]:
        """What becomes of a row, or of a single accumulator: ``last`` is above its words."""
        accs, last = parted(payload, self.width, self.columns)
        for first in range(0, self.columns, self.lanes):
            result = scaled_to_fp32(np.array(accs[first : first + self.lanes], object), signed(scale, 10))
            numbers = sum(bits << 32 * lane for lane, bits in enumerate(result.values.view(np.uint32).tolist()))
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            yield Beat(numbers | marks << 32 * self.lanes, (result.overflows, result.underflows))
