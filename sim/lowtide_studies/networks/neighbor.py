"""Rounding without a generator: with bits of the number in the neighboring lane."""

import attrs
import numpy as np

from lowtide.formats.parameter import parameter
from lowtide_model import neighbor_words, rounds_up
from lowtide_model.stochastic import Rounding

__all__ = ["Neighbor"]

FRACTION = 23
"""Bits of FP32's fraction field."""


@attrs.frozen(kw_only=True)
class Neighbor:
    """Stochastic rounding with half a step, with bits of the FP32 fraction field in neighboring lanes.

    `lowtide_model.neighbor_words` forms words from the bits of the lanes of a group. All bits of a zero, which is
    frequent after a rectifier, are zero.

    Parameters
    ----------
    bits : int
        Bits per word, ``r``.
    neighbors : int
        Lanes per word.
    leading : bool
        Whether words use the leading bits of the fraction field, not the last. The last bits are unsuitable if numbers
        are products of few-bit operands: their significands are short, and end in zeros.
    alternating : bool
        Whether words are inverted if lane, group and row have an odd sum. This corrects the bias of words that
        are zero or small too often, like the inversion of every second word of a generator.
    """

    bits: int = parameter(3, range(1, 23), "bits of a word")
    neighbors: int = parameter(1, range(1, 4), "lanes per word")
    leading: bool = parameter(True, (False, True), "the first bits of the fraction field instead of the last")
    alternating: bool = parameter(True, (False, True), "every second word is inverted")

    def on(self, groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor in groups ``(n, group, inner)``, with a number of groups per row."""
        lane, column = np.arange(group)[:, np.newaxis], np.arange(inner)

        def rounding(values: np.ndarray, block: slice) -> None:
            n = np.arange(block.start, block.start + len(values))[:, np.newaxis, np.newaxis]
            row = n // groups_in_row * inner + column
            odd = (lane + n % groups_in_row + row) % 2 * self.alternating
            words = self.words(values) ^ odd * (2**self.bits - 1)
            fractions, below = np.modf(np.abs(values))
            # The rounder uses only these bits of the fraction.
            seen = np.ldexp(fractions, self.bits + 1).astype(np.int64)
            up = rounds_up(seen, mode="half_step", fraction=self.bits + 1, random=words, random_bits=self.bits)
            np.copysign(below + up, values, out=values)

        return rounding

    def words(self, values: np.ndarray) -> np.ndarray:
        """Words that groups ``(n, group, inner)`` give to each other, before inversion.

        Scaling by a power of two does not change the fraction field.
        """
        lanes_last = np.ascontiguousarray(np.moveaxis(values, 1, -1), np.float32)
        fields = lanes_last.view(np.uint32).astype(np.int64)
        data = fields >> (FRACTION - self.bits if self.leading else 0) & 2**self.bits - 1
        return np.moveaxis(neighbor_words(data, width=self.bits, neighbors=self.neighbors), -1, 1)
