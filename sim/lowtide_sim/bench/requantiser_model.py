"""What a requantiser must answer, from the accumulators that were seen to be offered to it."""

from collections.abc import Iterator
from typing import Any

from lowtide.units.requantisation.requantiser import RequantiserShape
from lowtide_sim.bench.beat import Beat
from lowtide_sim.bench.row_words import joined, parted
from lowtide_sim.golden.terms import requantise_data

__all__ = ["RequantiserModel"]


class RequantiserModel:
    """The golden model, an accumulator or a row of them at a time.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the requantiser.
    """

    def __init__(self, sidecar: dict[str, Any]):
        parameters = dict(sidecar["parameters"])
        self.row = "columns" in parameters
        self.columns, self.lanes = parameters.pop("columns", 1), parameters.pop("lanes", 1)
        parameters.pop("counter", None)
        self.shape = RequantiserShape(**parameters)

    def beats(self, payload: int, multiplier: int, shift: int, relu: int, data_terms: int) -> Iterator[Beat]:
        """What becomes of a row, or of a single accumulator: ``last`` is above its words."""
        accs, last = parted(payload, self.shape.accumulator, self.columns)
        for first in range(0, self.columns, self.lanes):
            values, saturated = requantise_data(
                accs[first : first + self.lanes],
                multiplier=multiplier,
                shift=shift,
                width=self.shape.width,
                terms=data_terms,
                encoding=self.shape.encoding,
                relu=bool(relu),
            )
            ends = first + self.lanes == self.columns
            marks = (ends | (ends and last) << 1) if self.row else last
            yield Beat(joined(values.tolist(), self.shape.revealed, marks), (saturated,))
