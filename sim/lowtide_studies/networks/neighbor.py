"""Rounding without a generator: by bits of the number in the neighboring lane."""

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
    """Stochastic rounding, with half a step, by bits of FP32's fraction field in neighboring lanes.

    Lanes are those of a group; `lowtide_model.neighbor_words` says how words are made of their bits. A zero, as
    the rectifier makes many, has no bits but zeros.

    Parameters
    ----------
    bits : int
        Bits of a word, ``r``.
    neighbors : int
        Lanes that a word is made of.
    leading : bool
        Whether the bits are the first of the fraction field instead of the last. The last are no good where numbers
        are products of few-bit operands: their significands are short, and end in zeros.
    alternating : bool
        Whether words are inverted where lane, group and row sum to an odd number. That mends the bias of words that
        are zero or small too often, as inverting every second word of a generator does.
    """

    bits: int = parameter(3, range(1, 23), "bits of a word")
    neighbors: int = parameter(1, range(1, 4), "lanes that a word is made of")
    leading: bool = parameter(True, (False, True), "the first bits of the fraction field instead of the last")
    alternating: bool = parameter(True, (False, True), "every second word is inverted")

    def on(self, groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor in groups ``(n, group, inner)``, of so many groups a row."""
        lane, column = np.arange(group)[:, np.newaxis], np.arange(inner)

        def rounding(values: np.ndarray, block: slice) -> None:
            n = np.arange(block.start, block.start + len(values))[:, np.newaxis, np.newaxis]
            row = n // groups_in_row * inner + column
            odd = (lane + n % groups_in_row + row) % 2 * self.alternating
            words = self.words(values) ^ odd * (2**self.bits - 1)
            fractions, below = np.modf(np.abs(values))
            # Of the fraction only those bits count at which the rounder looks.
            seen = np.ldexp(fractions, self.bits + 1).astype(np.int64)
            up = rounds_up(seen, mode="half_step", fraction=self.bits + 1, random=words, random_bits=self.bits)
            np.copysign(below + up, values, out=values)

        return rounding

    def words(self, values: np.ndarray) -> np.ndarray:
        """Words that groups ``(n, group, inner)`` give to each other, none inverted.

        Scaled by a power of two or not, a number has the same fraction field.
        """
        lanes_last = np.ascontiguousarray(np.moveaxis(values, 1, -1), np.float32)
        fields = lanes_last.view(np.uint32).astype(np.int64)
        data = fields >> (FRACTION - self.bits if self.leading else 0) & 2**self.bits - 1
        return np.moveaxis(neighbor_words(data, width=self.bits, neighbors=self.neighbors), -1, 1)
