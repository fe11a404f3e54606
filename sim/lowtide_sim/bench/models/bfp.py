"""What an array of FMACs must answer, in plain integers."""

from operator import mul
from typing import Any

from lowtide_sim.bench.models.tile import Expect, TileModel

__all__ = ["ArrayModel", "Word"]

Groups = list[tuple[list[int], int]]


class Word:
    """Takes the words of a stream apart, by the bit fields that the sidecar gives."""

    def __init__(self, fields: dict[str, int], lanes: int, words: int):
        self.bits, self.words = fields["bits"], words
        self.exponent_from = fields["exponent_from_bit"]
        self.mask = (1 << self.bits) - 1
        self.lane_mask = (1 << fields["lane_bits"]) - 1
        self.shifts = [lane * fields["lane_bits"] for lane in range(lanes)]
        magnitudes = (1 << fields["magnitude_bits"]) - 1
        self.values = [
            -(lane & magnitudes) if lane >> fields["sign_bit"] & 1 else lane & magnitudes
            for lane in range(self.lane_mask + 1)
        ]

    def groups(self, beat: int) -> Groups:
        """Signed values and exponent code of each word of a beat."""
        return [self._group(beat >> n * self.bits & self.mask) for n in range(self.words)]

    def _group(self, word: int) -> tuple[list[int], int]:
        values, mask = self.values, self.lane_mask
        return [values[word >> shift & mask] for shift in self.shifts], word >> self.exponent_from


class ArrayModel(TileModel):
    """Sums of products of chunks.

    Parameters are those of `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        array, lanes = sidecar["configuration"]["array"], sidecar["configuration"]["bfp"]["lanes"]
        self.word_a = Word(sidecar["word_a"], lanes, array["rows"])
        self.word_b = Word(sidecar["word_b"], lanes, array["columns"])
        super().__init__(sidecar, expect)

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add the products of a beat's groups."""
        columns = self.word_b.groups(b)
        for sums, (x, code_x) in zip(self.sums, self.word_a.groups(a), strict=True):
            for column, (y, code_y) in enumerate(columns):
                sums[column] += sum(map(mul, x, y)) << code_x + code_y

    def results(self) -> list[list[int]]:
        """The sums."""
        return self.sums

    def clear(self) -> None:
        """Start from zero."""
        self.sums = [[0] * self.columns for _ in range(self.rows)]
